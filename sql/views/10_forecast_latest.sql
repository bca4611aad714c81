-- The newest forecast of each series and half-hour, for each model: one look-up in the primary key
-- for each half-hour, not a sort of all its issues.
{% from "macros.sql" import inherit_comments, lead_minutes, unit %}
CREATE VIEW reporting.forecast_latest AS
SELECT target.model, newest.issued_at, newest.created_at, target.series, target.period_start,
       newest.p10, newest.p50, newest.p90,
       {{ lead_minutes("target.period_start", "newest.issued_at") }} AS lead_minutes,
       {{ unit("target.series") }} AS unit,
       newest.simulated
FROM forecast.targets AS target
CROSS JOIN LATERAL (
    SELECT p.issued_at, p.created_at, p.p10, p.p50, p.p90, p.simulated
    FROM forecast.predictions AS p
    WHERE p.model = target.model AND p.series = target.series
      AND p.period_start = target.period_start
    ORDER BY p.issued_at DESC
    LIMIT 1
) AS newest;

COMMENT ON VIEW reporting.forecast_latest IS 'The newest forecast of each series and half-hour, for each model.';
COMMENT ON COLUMN reporting.forecast_latest.lead_minutes IS 'Minutes from issue to the start of the half-hour; never negative.';
COMMENT ON COLUMN reporting.forecast_latest.unit IS 'Unit of the values of the series: gCO2/kWh or %.';
{{ inherit_comments("reporting.forecast_latest", "forecast.predictions") }}
