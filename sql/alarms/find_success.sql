-- Whether an attempt at an asset that started after `since` has succeeded: one row if so.
SELECT FROM ops.etl_runs
WHERE asset = %(asset)s AND status = 'success' AND started_at > %(since)s AND started_at <= now()
LIMIT 1
