-- Errors of carbon intensity over the last days, over all forecasts of each model and lead bucket.
SELECT model, lead_bucket, sum(n)::bigint AS n, sum(mae * n) / sum(n) AS mae,
       sum(bias * n) / sum(n) AS bias,
       100 * sum(coverage_80 * n) / nullif(sum(n) FILTER (WHERE coverage_80 IS NOT NULL), 0) AS inside_80_pct,
       bool_or(simulated) AS simulated
FROM reporting.forecast_accuracy
WHERE series = '{{ carbon_intensity.name }}' AND target_date > %(today)s - %(days)s::integer AND n > 0
GROUP BY model, lead_bucket
