-- Errors by model, series, UTC target day and lead bucket. There is no MAPE: shares touch zero. The
-- roll-up knows no half-hours, so it has no London day.
{% from "macros.sql" import inherit_comments %}
CREATE VIEW reporting.forecast_accuracy AS
SELECT model, series, target_date, lead_bucket, n, mae, bias, wape, pinball, coverage_80, simulated
FROM forecast.accuracy;

COMMENT ON VIEW reporting.forecast_accuracy IS 'Forecast errors: one row per model, series, UTC target day and lead bucket. Errors by London day: aggregate reporting.actual_vs_predicted by settlement_date.';
{{ inherit_comments("reporting.forecast_accuracy", "forecast.accuracy") }}
