-- Staged half-hours whose nine median shares do not sum to exactly 100.
SELECT period_start, model || ' issued ' || issued_at || ': ' || sum(p50) || ' of ' || count(*) || ' fuels' AS detail,
       count(*) OVER () AS total
FROM staged
WHERE series <> 'carbon_intensity'
GROUP BY model, issued_at, period_start
HAVING sum(p50) <> 100 OR count(*) <> 9
ORDER BY period_start
LIMIT 10
