-- The forecasts of all regions for the 96 half-hours from one on, each by the first model that has one,
-- and NESO's own.
{% from "macros.sql" import model_place %}
SELECT DISTINCT ON (f.region_id, f.period_start)
       f.region_id, f.period_start, f.model, f.issued_at, f.p10, f.p50, f.p90, f.simulated, f.derived,
       max(f.p50) FILTER (WHERE f.model = 'neso') OVER place AS neso,
       bool_or(f.simulated) FILTER (WHERE f.model = 'neso') OVER place AS neso_simulated
FROM reporting.regional_forecast_latest AS f
WHERE f.series = '{{ carbon_intensity.name }}'
  AND f.period_start >= %(first)s AND f.period_start < %(first)s + interval '48 hours'
WINDOW place AS (PARTITION BY f.region_id, f.period_start)
ORDER BY f.region_id, f.period_start, {{ model_place("f.model") }}
