-- The newest half-hour with an actual, and the newest with a mix, of the last two days.
{% from "macros.sql" import shares %}
SELECT actual.period_start AS actual_start, actual.actual_gco2_kwh, actual.intensity_index,
       mix.period_start AS mix_start, {{ shares("mix") }}
FROM (SELECT) AS always
LEFT JOIN LATERAL (
    SELECT * FROM reporting.telemetry
    WHERE period_start > %(now)s - interval '2 days' AND actual_gco2_kwh IS NOT NULL
    ORDER BY period_start DESC LIMIT 1) AS actual ON true
LEFT JOIN LATERAL (
    SELECT * FROM reporting.telemetry
    WHERE period_start > %(now)s - interval '2 days' AND total_pct IS NOT NULL
    ORDER BY period_start DESC LIMIT 1) AS mix ON true
