-- The newest forecast of each series and half-hour, for each model.
{% from "macros.sql" import inherit_comments, latest_issue_time %}
CREATE VIEW reporting.forecast_latest AS
SELECT model, issued_at, created_at, series, period_start, p10, p50, p90, lead_minutes, unit, simulated
FROM forecast.latest
WHERE issued_at <= {{ latest_issue_time() }};

COMMENT ON VIEW reporting.forecast_latest IS 'The newest forecast of each series and half-hour, for each model.';
{{ inherit_comments("reporting.forecast_latest", "forecast.latest") }}
