-- Half-hours of the window with a published value that was not used.
SELECT period_start, reason AS detail, count(*) OVER () AS total
FROM core.generation_mw
WHERE period_start >= %(start)s AND period_start < %(end)s AND reason IS NOT NULL
ORDER BY period_start DESC
LIMIT 10
