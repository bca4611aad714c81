-- The numbers of failed and of crashed attempts since an instant.
SELECT count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE status = 'crashed')
FROM ops.etl_runs
WHERE started_at > %(since)s AND started_at <= now()
