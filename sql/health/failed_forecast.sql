-- When the newest forecast that failed since an instant was started, or null.
SELECT max(started_at)
FROM ops.etl_runs
WHERE asset LIKE 'forecast.%%' AND status IN ('failed', 'crashed') AND started_at > %(since)s
