-- The newest forecast issued at least 24 hours before its half-hour: what a plan for tomorrow could
-- have used. One look-up in the primary key for each half-hour, as in reporting.forecast_latest.
{% from "macros.sql" import inherit_comments, lead_minutes, unit %}
CREATE VIEW reporting.forecast_day_ahead AS
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
      AND p.issued_at <= target.period_start - interval '24 hours'
    ORDER BY p.issued_at DESC
    LIMIT 1
) AS newest;

COMMENT ON VIEW reporting.forecast_day_ahead IS 'The newest forecast of each series and half-hour issued at least 24 hours before it, for each model.';
COMMENT ON COLUMN reporting.forecast_day_ahead.lead_minutes IS 'Minutes from issue to the start of the half-hour; 1440 or more.';
{{ inherit_comments("reporting.forecast_day_ahead", "reporting.forecast_latest") }}
