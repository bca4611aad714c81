-- Marks an attempt whose process is gone; one that has ended in the meantime is left alone.
UPDATE ops.etl_runs
SET status = 'crashed', finished_at = clock_timestamp(), error_type = 'ProcessDied',
    error_message = %(message)s
WHERE run_id = %(run_id)s AND asset = %(asset)s AND attempt = %(attempt)s AND status = 'running'
