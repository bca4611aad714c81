-- The newest half-hour of each region in the last two days.
{% from "macros.sql" import shares %}
SELECT known.region_id, known.short_name, newest.*
FROM reporting.regional_now AS known
LEFT JOIN LATERAL (
    SELECT known.period_start, known.intensity_gco2_kwh, known.intensity_index,
           {{ shares("known") }}, known.simulated
) AS newest ON known.period_start > %(now)s - interval '2 days'
ORDER BY known.region_id
