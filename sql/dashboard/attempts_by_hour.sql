-- Attempts of the last 24 hours by the UTC hour in which they started, and by how they ended.
SELECT date_trunc('hour', started_at, 'UTC') AS hour, status, count(*) AS attempts
FROM reporting.etl_runs
WHERE started_at > %(now)s - interval '24 hours' AND started_at <= now()
  AND NOT (asset = 'files.dashboard' AND status = 'running')
GROUP BY 1, 2
ORDER BY 1, 2
