-- The days of the last successful attempt at each asset.
SELECT DISTINCT ON (asset) asset, partition_start, partition_end
FROM ops.etl_runs
WHERE status = 'success' AND asset = ANY(%(assets)s) AND started_at <= now()
ORDER BY asset, started_at DESC
