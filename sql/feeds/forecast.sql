-- The 96 half-hours from one on, each with the newest forecast of the first model that has one, and
-- with NESO's own newest.
{% from "macros.sql" import model_place %}
SELECT half_hour.at, newest.model, newest.issued_at, newest.p10, newest.p50, newest.p90, newest.simulated,
       neso.p50 AS neso, neso.simulated AS neso_simulated
FROM generate_series(%(first)s::timestamptz, %(first)s::timestamptz + interval '2850 minutes',
                     interval '30 minutes') AS half_hour (at)
LEFT JOIN LATERAL (
    SELECT * FROM reporting.forecast_latest AS f
    WHERE f.series = '{{ carbon_intensity.name }}' AND f.period_start = half_hour.at
    ORDER BY {{ model_place("f.model") }}, f.issued_at DESC LIMIT 1) AS newest ON true
LEFT JOIN reporting.forecast_latest AS neso
  ON neso.model = 'neso' AND neso.series = '{{ carbon_intensity.name }}' AND neso.period_start = half_hour.at
ORDER BY half_hour.at
