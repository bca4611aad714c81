-- How often each condition has come back whose last episode ended since `since`.
SELECT DISTINCT ON (key) key, times
FROM ops.alarms
WHERE closed_at IS NOT NULL AND ended_at > %(since)s
ORDER BY key, ended_at DESC
