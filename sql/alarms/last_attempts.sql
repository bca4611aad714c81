-- The last attempt at each asset that has ended, when it started, and since when every attempt has
-- failed: the end of the first failure after the last success. One that runs, or is stamped later than
-- now, is left out.
SELECT asset, last.status, last.error_type, last.error_message, last.started_at,
       (SELECT min(failed.finished_at) FROM ops.etl_runs AS failed
        WHERE failed.asset = wanted.asset AND failed.status IN ('failed', 'crashed')
          AND failed.started_at <= now()
          AND failed.started_at > coalesce(
              (SELECT ok.started_at FROM ops.etl_runs AS ok
               WHERE ok.asset = wanted.asset AND ok.status = 'success' AND ok.started_at <= now()
               ORDER BY ok.started_at DESC LIMIT 1), '-infinity'))
FROM unnest(%(assets)s::text[]) AS wanted (asset)
CROSS JOIN LATERAL (
    SELECT status, error_type, error_message, started_at FROM ops.etl_runs AS e
    WHERE e.asset = wanted.asset AND e.status <> 'running' AND e.started_at <= now()
    ORDER BY started_at DESC LIMIT 1) AS last
WHERE last.status IN ('failed', 'crashed')
ORDER BY asset
