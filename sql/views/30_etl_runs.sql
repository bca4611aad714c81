-- One asset materialisation attempt, as ops.etl_runs without the stack trace.
CREATE VIEW reporting.etl_runs AS
SELECT run_id, asset, attempt, trigger, partition_start, partition_end, started_at, finished_at,
       execution_time_ms, rows_fetched, rows_written, rows_quarantined, status,
       error_type, error_message
FROM ops.etl_runs;
COMMENT ON VIEW reporting.etl_runs IS 'One asset materialisation attempt, as ops.etl_runs without the stack trace.';
COMMENT ON COLUMN reporting.etl_runs.run_id IS 'Dagster run.';
COMMENT ON COLUMN reporting.etl_runs.asset IS 'Relation that the attempt writes, such as core.generation_mix.';
COMMENT ON COLUMN reporting.etl_runs.attempt IS 'First attempt of this asset in this run is 1.';
COMMENT ON COLUMN reporting.etl_runs.trigger IS 'What started the run: schedule, tick, backfill, or manual.';
COMMENT ON COLUMN reporting.etl_runs.partition_start IS 'First UTC day, included.';
COMMENT ON COLUMN reporting.etl_runs.partition_end IS 'Last UTC day, included.';
COMMENT ON COLUMN reporting.etl_runs.started_at IS 'Start of the attempt.';
COMMENT ON COLUMN reporting.etl_runs.finished_at IS 'End of the attempt; null while it runs.';
COMMENT ON COLUMN reporting.etl_runs.execution_time_ms IS 'Milliseconds from start to end.';
COMMENT ON COLUMN reporting.etl_runs.rows_fetched IS 'Records judged: received from the API, or read from raw.';
COMMENT ON COLUMN reporting.etl_runs.rows_written IS 'Rows added or changed.';
COMMENT ON COLUMN reporting.etl_runs.rows_quarantined IS 'Records or bodies rejected by this attempt.';
COMMENT ON COLUMN reporting.etl_runs.status IS 'running, success, failed, or crashed (the process died).';
COMMENT ON COLUMN reporting.etl_runs.error_type IS 'Exception class of a failure.';
COMMENT ON COLUMN reporting.etl_runs.error_message IS 'What went wrong and what to change.';
GRANT SELECT ON reporting.etl_runs TO grid_reader;
