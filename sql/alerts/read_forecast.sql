-- The newest forecast of each half-hour of a region, or of Great Britain, by the first model in the
-- order in which models are shown that has one issued since `oldest`.
{% from "macros.sql" import model_place %}
SELECT DISTINCT ON (period_start) period_start, p50, model, issued_at
FROM (SELECT period_start, p50, model, issued_at, series
      FROM reporting.forecast_latest
      WHERE %(region)s::integer IS NULL
      UNION ALL
      SELECT period_start, p50, model, issued_at, series
      FROM reporting.regional_forecast_latest
      WHERE region_id = %(region)s::integer) AS newest
WHERE series = '{{ carbon_intensity.name }}' AND p50 IS NOT NULL
  AND period_start >= %(first)s AND issued_at >= %(oldest)s
ORDER BY period_start, {{ model_place("model") }}, issued_at DESC
