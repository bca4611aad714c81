-- ops.etl_runs without the stack trace and the columns that only the pipeline needs.
{% from "macros.sql" import inherit_comments %}
CREATE VIEW reporting.etl_runs AS
SELECT run_id, asset, attempt, trigger, partition_start, partition_end, started_at, finished_at,
       execution_time_ms, rows_fetched, rows_written, rows_quarantined, status,
       error_type, error_message
FROM ops.etl_runs;

COMMENT ON VIEW reporting.etl_runs IS 'One attempt to materialise an asset: ops.etl_runs without the stack trace.';
{{ inherit_comments("reporting.etl_runs", "ops.etl_runs") }}
