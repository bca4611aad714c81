-- Each forecast beside the actual of the same series and half-hour. A forecast whose actual is not
-- published yet has no row.
{% from "macros.sql" import actual, inherit_comments, lead_minutes, unit %}
CREATE VIEW reporting.actual_vs_predicted AS
SELECT p.model, p.series,
       {{ unit("p.series") }} AS unit,
       p.issued_at, p.period_start,
       lead.minutes AS lead_minutes,
       forecast.lead_bucket(p.period_start - p.issued_at) AS lead_bucket,
       happened.actual, p.p10, p.p50, p.p90,
       p.p50 - happened.actual AS error,
       abs(p.p50 - happened.actual) AS abs_error,
       happened.actual BETWEEN p.p10 AND p.p90 AS inside_80,
       p.simulated
FROM forecast.predictions AS p
LEFT JOIN core.intensity AS i
       ON i.period_start = p.period_start AND p.series = '{{ carbon_intensity.name }}'
LEFT JOIN core.generation_mix AS m
       ON m.period_start = p.period_start AND p.series <> '{{ carbon_intensity.name }}'
CROSS JOIN LATERAL (SELECT
    {{ actual("p.series", "i", "m") }}) AS happened (actual)
CROSS JOIN LATERAL (SELECT
    {{ lead_minutes("p.period_start", "p.issued_at") }}) AS lead (minutes)
WHERE happened.actual IS NOT NULL;

COMMENT ON VIEW reporting.actual_vs_predicted IS 'Each forecast of a series and half-hour beside the actual value.';
COMMENT ON COLUMN reporting.actual_vs_predicted.actual IS 'What happened: the newest published actual, or the share in the completed mix, in unit.';
COMMENT ON COLUMN reporting.actual_vs_predicted.error IS 'p50 minus actual, in unit.';
COMMENT ON COLUMN reporting.actual_vs_predicted.abs_error IS 'Absolute error, in unit.';
COMMENT ON COLUMN reporting.actual_vs_predicted.inside_80 IS 'Whether the actual lies within p10 to p90; null if the model has no band.';
{{ inherit_comments("reporting.actual_vs_predicted", "reporting.forecast_latest", "forecast.accuracy") }}
