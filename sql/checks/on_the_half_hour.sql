-- Staged rows that start on neither :00 nor :30.
SELECT period_start, 'not a half-hour' AS detail, count(*) OVER () AS total
FROM staged
WHERE (mod(extract(epoch FROM period_start), 1800) = 0) IS NOT TRUE
ORDER BY period_start
LIMIT 10
