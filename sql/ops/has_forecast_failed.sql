-- Whether a forecast failed since an instant, or crashed twice.
SELECT count(*) FILTER (WHERE status = 'failed') > 0
       OR count(*) FILTER (WHERE status = 'crashed') > 1
FROM ops.etl_runs
WHERE asset LIKE 'forecast.%%' AND started_at > %(since)s AND started_at <= now()
