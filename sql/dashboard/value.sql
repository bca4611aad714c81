-- What a use that waits by each forecast was worth over the last 30 days: means over all cases, so
-- each row is weighted by its number of cases.
SELECT model, wait_hours,
       sum(n)::bigint AS n,
       sum(saved_gco2_kwh * n) / sum(n) AS saved_gco2_kwh,
       sum(best_gco2_kwh * n) / sum(n) AS best_gco2_kwh,
       100 * sum(made_worse_share * n) / sum(n) AS worse_pct,
       bool_or(simulated) AS simulated
FROM reporting.forecast_value
WHERE target_date > %(today)s - 30
GROUP BY model, wait_hours
ORDER BY model, wait_hours
