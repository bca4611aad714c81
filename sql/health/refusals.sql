-- The number of issue times of a window that have no forecast, and the first reason.
SELECT count(*), (array_agg(refused_reason ORDER BY issued_at))[1]
FROM forecast.issues
WHERE refused_reason IS NOT NULL AND issued_at >= %(start)s AND issued_at < %(end)s
