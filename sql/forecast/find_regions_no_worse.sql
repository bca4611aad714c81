-- The regions whose derived forecast was no worse than NESO's since a day, on the same half-hours of
-- the same issues. Needs enough days.
SELECT region_id
FROM forecast.regional_accuracy
WHERE model = 'blend' AND target_date >= %(first)s
GROUP BY region_id
HAVING count(DISTINCT target_date) >= %(least_days)s AND sum(abs_error_sum) <= sum(neso_abs_error_sum)
