-- Nothing has read when Dagster's history was last purged: ops.etl_runs has it, as the last attempt
-- of dagster.runs.

DROP TABLE ops.retention;
