-- Half-hours of the window whose published shares sum to less than 99.7 or more than 100.3.
SELECT period_start, 'published shares sum to ' || published_total_pct AS detail,
       count(*) OVER () AS total
FROM core.generation_mix
WHERE period_start >= %(start)s AND period_start < %(end)s
  AND abs(published_total_pct - 100) > 0.3
ORDER BY period_start DESC
LIMIT 10
