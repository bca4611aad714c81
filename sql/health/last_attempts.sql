-- The last attempt at each asset; one stamped later than now is left out.
SELECT DISTINCT ON (asset)
       asset, status, started_at, rows_fetched, rows_written, rows_quarantined, error_message
FROM ops.etl_runs
WHERE started_at <= now()
ORDER BY asset, started_at DESC
