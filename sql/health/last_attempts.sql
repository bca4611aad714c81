-- The last attempt at each asset.
SELECT DISTINCT ON (asset)
       asset, status, started_at, rows_fetched, rows_written, rows_quarantined, error_message
FROM ops.etl_runs
ORDER BY asset, started_at DESC
