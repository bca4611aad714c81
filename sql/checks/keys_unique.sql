-- Half-hours that are staged more than once.
SELECT period_start, count(*)::text AS detail, count(*) OVER () AS total
FROM staged
GROUP BY period_start
HAVING count(*) > 1
ORDER BY period_start
LIMIT 10
