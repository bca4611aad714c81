-- What shifting a use by a forecast was worth, by model, UTC day and wait.
{% from "macros.sql" import inherit_comments %}
CREATE VIEW reporting.forecast_value AS
SELECT model, target_date, wait_hours, n, saved_gco2_kwh, best_gco2_kwh, made_worse_share, simulated
FROM forecast.value
WHERE n > 0;

COMMENT ON VIEW reporting.forecast_value IS 'What shifting three hours of use by a forecast of carbon intensity was worth: one row per model, UTC day and wait; a wait reaches into the next day, so there is no London day.';
COMMENT ON COLUMN reporting.forecast_value.n IS 'Number of cases: issues that forecast the whole wait and whose whole wait has actuals.';
{{ inherit_comments("reporting.forecast_value", "forecast.value") }}
