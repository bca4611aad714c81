-- How good forecasts by region were: one model, region, day and lead bucket.
{% from "macros.sql" import inherit_comments %}
CREATE VIEW reporting.regional_forecast_accuracy AS
SELECT a.region_id, region.short_name, a.model, a.target_date, a.lead_bucket, a.n,
       a.abs_error_sum / a.n AS mae_against_estimate,
       a.error_sum / a.n AS bias_against_estimate,
       a.abs_error_sum / nullif(a.abs_estimate_sum, 0) AS wape_against_estimate,
       a.neso_abs_error_sum / a.n AS neso_mae_against_estimate,
       a.abs_error_sum, a.error_sum, a.abs_estimate_sum, a.neso_abs_error_sum,
       a.simulated
FROM forecast.regional_accuracy AS a
JOIN core.regions AS region USING (region_id);

COMMENT ON VIEW reporting.regional_forecast_accuracy IS 'Errors of forecasts by region against the API''s own later estimate, because no actual is published for regions. To combine rows, add the sums up and divide by the sum of n.';
COMMENT ON COLUMN reporting.regional_forecast_accuracy.mae_against_estimate IS 'Mean absolute error against the API''s later estimate, gCO2/kWh.';
COMMENT ON COLUMN reporting.regional_forecast_accuracy.bias_against_estimate IS 'Mean of forecast minus estimate, gCO2/kWh.';
COMMENT ON COLUMN reporting.regional_forecast_accuracy.wape_against_estimate IS 'Sum of absolute errors over the sum of the estimates.';
COMMENT ON COLUMN reporting.regional_forecast_accuracy.neso_mae_against_estimate IS 'The same for NESO''s forecasts of the same half-hours, issued at the same times, gCO2/kWh; null for neso itself.';
{{ inherit_comments("reporting.regional_forecast_accuracy", "forecast.regional_accuracy", "core.regions") }}
