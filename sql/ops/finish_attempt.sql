-- Records how an attempt ended.
UPDATE ops.etl_runs
SET status = %(status)s, finished_at = clock_timestamp(), execution_time_ms = %(took_ms)s,
    rows_fetched = %(fetched)s, rows_written = %(written)s, rows_quarantined = %(rejected)s,
    error_type = %(error_type)s, error_message = %(message)s, stack_trace = %(trace)s
WHERE run_id = %(run_id)s AND asset = %(asset)s AND attempt = %(attempt)s
