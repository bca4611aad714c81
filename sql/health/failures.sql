-- The numbers of attempts that failed and crashed since an instant.
SELECT count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE status = 'crashed')
FROM ops.etl_runs
WHERE started_at > %(since)s
