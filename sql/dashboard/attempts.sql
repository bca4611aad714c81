-- The last attempt at each asset in 30 days, and how its attempts of the last 24 hours ended.
-- Leaves out the attempt that is making this page, which has not ended yet.
WITH attempt AS (
    SELECT * FROM reporting.etl_runs
    WHERE started_at > %(now)s - interval '30 days' AND started_at <= now()
      AND NOT (asset = 'files.dashboard' AND status = 'running')
)
SELECT DISTINCT ON (asset)
       asset, status, started_at, execution_time_ms, error_message,
       count(*) FILTER (WHERE recent) OVER w AS attempts_24h,
       count(*) FILTER (WHERE recent AND status IN ('failed', 'crashed')) OVER w AS failures_24h,
       coalesce(sum(rows_written) FILTER (WHERE recent) OVER w, 0)::bigint AS written_24h,
       coalesce(sum(rows_quarantined) FILTER (WHERE recent) OVER w, 0)::bigint AS rejected_24h
FROM attempt
CROSS JOIN LATERAL (SELECT started_at > %(now)s - interval '24 hours') AS age (recent)
WINDOW w AS (PARTITION BY asset)
ORDER BY asset, started_at DESC
