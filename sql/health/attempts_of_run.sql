-- The attempts of a run, in order.
SELECT asset, status, rows_fetched, rows_written, rows_quarantined, execution_time_ms, error_type,
       error_message
FROM ops.etl_runs
WHERE run_id = %(run_id)s
ORDER BY started_at
