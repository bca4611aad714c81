-- Errors of carbon intensity over the last 30 days: means over all forecasts, so each row is
-- weighted by its number of forecasts. A model without a band has no coverage.
SELECT model, lead_bucket,
       sum(n)::bigint AS n,
       sum(mae * n) / sum(n) AS mae,
       100 * sum(coverage_80 * n) / nullif(sum(n) FILTER (WHERE coverage_80 IS NOT NULL), 0) AS inside_pct,
       bool_or(simulated) AS simulated
FROM reporting.forecast_accuracy
WHERE series = 'carbon_intensity' AND target_date > %(today)s - 30 AND n > 0
GROUP BY model, lead_bucket
ORDER BY model, lead_bucket
