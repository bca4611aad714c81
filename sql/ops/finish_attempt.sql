-- Records how an attempt ended. An attempt whose number is not known is the running one of the
-- process. Where it had been marked as crashed meanwhile, the message says so.
UPDATE ops.etl_runs
SET status = %(status)s, finished_at = clock_timestamp(), execution_time_ms = %(took_ms)s,
    rows_fetched = %(fetched)s, rows_written = %(written)s, rows_quarantined = %(rejected)s,
    error_type = %(error_type)s, stack_trace = %(trace)s,
    error_message = CASE WHEN status = 'crashed' THEN concat_ws(' ', %(message)s::text, %(wrongly)s::text)
                         ELSE %(message)s END
WHERE run_id = %(run_id)s AND asset = %(asset)s
  AND CASE WHEN %(attempt)s::integer IS NOT NULL THEN attempt = %(attempt)s
           ELSE status = 'running' AND host = %(host)s AND pid = %(pid)s END
