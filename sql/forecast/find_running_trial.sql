-- The trial that is running: its process and since when.
SELECT host, pid, started_at FROM ops.etl_runs
WHERE asset = %(asset)s AND status = 'running'
ORDER BY started_at
LIMIT 1
