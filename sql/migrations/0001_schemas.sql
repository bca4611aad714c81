-- The five layers. Data flows one way: raw -> core -> forecast -> reporting; ops watches.
-- `ops` exists already: the migration ledger lives there.

CREATE SCHEMA IF NOT EXISTS ops;
CREATE SCHEMA raw;
CREATE SCHEMA core;
CREATE SCHEMA forecast;
CREATE SCHEMA reporting;

COMMENT ON SCHEMA raw IS 'As published: a change-log that nothing ever overwrites.';
COMMENT ON SCHEMA core IS 'Clean: one row a half-hour, every rule enforced by a constraint.';
COMMENT ON SCHEMA forecast IS 'Forecasts as they were issued, and their scores.';
COMMENT ON SCHEMA ops IS 'Operations: runs, rejected records, the warehouse''s stamp.';
COMMENT ON SCHEMA reporting IS 'Views for BI: the only schema that grid_reader may read.';
