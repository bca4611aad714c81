-- Mean absolute error of carbon intensity by model and lead bucket.
SELECT model, lead_bucket, (sum(abs_error_sum) / sum(n))::float8, bool_or(simulated)
FROM forecast.accuracy
WHERE series = 'carbon_intensity' AND target_date >= %(first)s AND target_date < %(end)s
GROUP BY model, lead_bucket
ORDER BY model, lead_bucket
