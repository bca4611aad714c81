-- The newest forecast of each series and half-hour, for each model.
{% from "macros.sql" import comments_on_london_time, inherit_comments, latest_issue_time, london_time %}
CREATE VIEW reporting.forecast_latest AS
SELECT model, issued_at, created_at, series, period_start, p10, p50, p90, lead_minutes, unit, simulated,
       {{ london_time("period_start") }}
FROM forecast.latest
WHERE issued_at <= {{ latest_issue_time() }};

COMMENT ON VIEW reporting.forecast_latest IS 'The newest forecast of each series and half-hour, for each model. A filter on period_start is answered by index, one on the settlement date is not.';
{{ comments_on_london_time("reporting.forecast_latest") }}
{{ inherit_comments("reporting.forecast_latest", "forecast.latest") }}
