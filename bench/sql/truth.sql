-- One row is what happened, or will have happened, in one half-hour (counted from 1970) of one
-- series, in tenths of its unit. Dropped again once forecasts are made from it.
CREATE SCHEMA bench;
CREATE UNLOGGED TABLE bench.truth (
    half_hour bigint,
    ordinal integer,
    series text,
    tenths integer,
    PRIMARY KEY (half_hour, ordinal)
)
