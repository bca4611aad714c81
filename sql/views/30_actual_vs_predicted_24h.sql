-- The last 24 hours: for each half-hour, series and model the last forecast issued before it began.
-- Starts from the actuals and looks up one forecast for each; reporting.actual_vs_predicted would
-- read every issue first.
{% from "macros.sql" import inherit_comments, lead_minutes, unit %}
CREATE VIEW reporting.actual_vs_predicted_24h AS
WITH happened AS MATERIALIZED (  -- unordered, so that both of its columns take part in the join
    SELECT period_start, series, actual
    FROM forecast.happened
    WHERE period_start >= now() - interval '24 hours' AND period_start <= now()
      AND actual IS NOT NULL
)
SELECT target.model, target.series,
       {{ unit("target.series") }} AS unit,
       newest.issued_at, target.period_start,
       lead.minutes AS lead_minutes,
       forecast.lead_bucket(target.period_start - newest.issued_at) AS lead_bucket,
       happened.actual, newest.p10, newest.p50, newest.p90,
       newest.p50 - happened.actual AS error,
       abs(newest.p50 - happened.actual) AS abs_error,
       happened.actual BETWEEN newest.p10 AND newest.p90 AS inside_80,
       newest.simulated
FROM happened
JOIN forecast.targets AS target
  ON target.period_start = happened.period_start AND target.series = happened.series
 -- redundant, but it lets the index return one day instead of all days
 AND target.period_start >= now() - interval '24 hours' AND target.period_start <= now()
CROSS JOIN LATERAL (
    SELECT p.issued_at, p.p10, p.p50, p.p90, p.simulated
    FROM forecast.predictions AS p
    WHERE p.model = target.model AND p.series = target.series
      AND p.period_start = target.period_start
    ORDER BY p.issued_at DESC
    LIMIT 1
) AS newest
CROSS JOIN LATERAL (SELECT
    {{ lead_minutes("target.period_start", "newest.issued_at") }}) AS lead (minutes);

COMMENT ON VIEW reporting.actual_vs_predicted_24h IS 'The last 24 hours: for each half-hour, series and model, the last forecast issued before it began beside the actual value.';
{{ inherit_comments("reporting.actual_vs_predicted_24h", "reporting.actual_vs_predicted") }}
