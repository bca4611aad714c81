-- The last 24 hours: for each half-hour, series and model the last forecast issued before it began,
-- beside the actual. No forecast is issued after its half-hour began, so that is the newest one.
{% from "macros.sql" import inherit_comments %}
CREATE VIEW reporting.actual_vs_predicted_24h AS
WITH happened AS MATERIALIZED (  -- unordered, so that both of its columns take part in the join
    SELECT period_start, series, actual
    FROM forecast.happened
    WHERE period_start >= now() - interval '24 hours' AND period_start <= now()
      AND actual IS NOT NULL
)
SELECT newest.model, newest.series, newest.unit, newest.issued_at, newest.period_start,
       newest.lead_minutes,
       forecast.lead_bucket(newest.period_start - newest.issued_at) AS lead_bucket,
       happened.actual, newest.p10, newest.p50, newest.p90,
       newest.p50 - happened.actual AS error,
       abs(newest.p50 - happened.actual) AS abs_error,
       happened.actual BETWEEN newest.p10 AND newest.p90 AS inside_80,
       newest.simulated
FROM happened
JOIN reporting.forecast_latest AS newest
  ON newest.period_start = happened.period_start AND newest.series = happened.series
 -- redundant, but it lets the index return one day instead of all days
 AND newest.period_start >= now() - interval '24 hours' AND newest.period_start <= now();

COMMENT ON VIEW reporting.actual_vs_predicted_24h IS 'The last 24 hours: for each half-hour, series and model, the last forecast issued before it began beside the actual value.';
{{ inherit_comments("reporting.actual_vs_predicted_24h", "reporting.actual_vs_predicted") }}
