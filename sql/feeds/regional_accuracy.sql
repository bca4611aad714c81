-- Errors by region over the last days against the API's later estimate, of each model and lead bucket.
SELECT region_id, model, lead_bucket, sum(n)::bigint AS n, sum(abs_error_sum) / sum(n) AS mae,
       sum(error_sum) / sum(n) AS bias, sum(neso_abs_error_sum) / sum(n) AS neso_mae,
       bool_or(simulated) AS simulated
FROM reporting.regional_forecast_accuracy
WHERE target_date > %(today)s - %(days)s::integer
GROUP BY region_id, model, lead_bucket
