-- Each forecast beside the actual of the same series and half-hour. A forecast whose actual is not
-- published yet has no row. Half-hours and issues are joined by the UTC day and by the time, so that
-- a filter on either of their times reaches an index.
{% from "macros.sql" import cell, inherit_comments, latest_issue_time, lead_minutes, london_time, quantiles, unit %}
CREATE VIEW reporting.actual_vs_predicted AS
SELECT issue.model, happened.series,
       {{ unit("happened.series") }} AS unit,
       issue.issued_at, happened.period_start,
       {{ lead_minutes("happened.period_start", "issue.issued_at") }} AS lead_minutes,
       forecast.lead_bucket(happened.period_start - issue.issued_at) AS lead_bucket,
       happened.actual, quantile.p10, quantile.p50, quantile.p90,
       quantile.p50 - happened.actual AS error,
       abs(quantile.p50 - happened.actual) AS abs_error,
       happened.actual BETWEEN quantile.p10 AND quantile.p90 AS inside_80,
       issue.simulated,
       {{ london_time("happened.period_start") }}
FROM forecast.happened
CROSS JOIN (VALUES (0), (1), (2)) AS earlier (days)
JOIN forecast.archive AS issue
  ON issue.starts_on = (happened.period_start AT TIME ZONE 'UTC')::date - earlier.days
 AND issue.starts_at > happened.period_start - interval '48 hours'
 AND issue.starts_at <= happened.period_start
{{ cell("issue", "happened.period_start", "happened.ordinal") }}
CROSS JOIN LATERAL (SELECT {{ quantiles() }}) AS quantile
WHERE happened.actual IS NOT NULL AND cell.p50 IS NOT NULL
  AND issue.issued_at <= {{ latest_issue_time() }};

COMMENT ON VIEW reporting.actual_vs_predicted IS 'Each forecast of a series and half-hour beside the actual value.';
COMMENT ON COLUMN reporting.actual_vs_predicted.actual IS 'What happened: the newest published actual, or the share in the completed mix, in unit.';
COMMENT ON COLUMN reporting.actual_vs_predicted.error IS 'p50 minus actual, in unit.';
COMMENT ON COLUMN reporting.actual_vs_predicted.abs_error IS 'Absolute error, in unit.';
COMMENT ON COLUMN reporting.actual_vs_predicted.inside_80 IS 'Whether the actual lies within p10 to p90; null if the model has no band.';
{{ inherit_comments("reporting.actual_vs_predicted", "reporting.forecast_latest", "forecast.accuracy") }}
