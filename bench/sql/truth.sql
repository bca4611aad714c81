-- One row is the actual value, past or future, of one series in one half-hour (counted from 1970),
-- in tenths of its unit. The table is dropped once forecasts have been made from it.
CREATE SCHEMA bench;
CREATE UNLOGGED TABLE bench.truth (
    half_hour bigint,
    ordinal integer,
    series text,
    tenths integer,
    PRIMARY KEY (half_hour, ordinal)
)
