-- Issues of the window that another model made because the configured one could not.
SELECT issued_at AS period_start, model || ': ' || fallback_reason AS detail, count(*) OVER () AS total
FROM forecast.issues
WHERE issued_at >= %(start)s AND issued_at < %(end)s AND fallback_reason IS NOT NULL
ORDER BY issued_at DESC
LIMIT 10
