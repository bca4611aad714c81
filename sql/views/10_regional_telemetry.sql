-- One region and half-hour that has begun and has carbon intensity or mix, or both.
{% from "macros.sql" import inherit_comments, shares %}
{% macro total(names) %}
{% for fuel in fuels if fuel.name in names %}coalesce(h.{{ fuel.column }}, 0){{ " + " if not loop.last }}{% endfor %}
{% endmacro %}
CREATE VIEW reporting.regional_telemetry AS
SELECT region.region_id, region.short_name, h.period_start,
       h.period_start AT TIME ZONE 'Europe/London' AS period_start_london,
       (h.period_start AT TIME ZONE 'Europe/London')::date AS settlement_date,
       (1 + extract(epoch FROM h.period_start
                    - (h.period_start AT TIME ZONE 'Europe/London')::date::timestamp
                      AT TIME ZONE 'Europe/London') / 1800)::integer AS settlement_period,
       h.intensity_gco2_kwh, h.intensity_index,
       {{ shares("h") }},
       CASE WHEN h.has_mix THEN {{ total(fuels | map(attribute="name") | list) }} END AS total_pct,
       CASE WHEN h.has_mix THEN {{ total(fuel_groups.renewable) }} END AS renewable_pct,
       CASE WHEN h.has_mix THEN {{ total(fuel_groups.renewable + ("nuclear",)) }} END AS zero_carbon_pct,
       CASE WHEN h.has_mix THEN {{ total(fuel_groups.fossil) }} END AS fossil_pct,
       h.simulated
FROM core.regions AS region
-- by region, so that a filter on period_start reaches the indexes, which begin with the region; two
-- disjoint branches, because a FULL JOIN would read all of both tables
CROSS JOIN LATERAL (
    SELECT i.period_start, i.intensity_gco2_kwh, i.intensity_index,
           {{ shares("m") }},
           m.period_start IS NOT NULL AS has_mix, i.simulated
    FROM core.regional_intensity AS i
    LEFT JOIN core.regional_mix AS m ON m.region_id = i.region_id AND m.period_start = i.period_start
    WHERE i.region_id = region.region_id
    UNION ALL
    SELECT m.period_start, NULL, NULL,
           {{ shares("m") }},
           true, m.simulated
    FROM core.regional_mix AS m
    WHERE m.region_id = region.region_id
      AND NOT EXISTS (SELECT FROM core.regional_intensity AS i
                      WHERE i.region_id = m.region_id AND i.period_start = m.period_start)
) AS h
WHERE h.period_start <= now();

COMMENT ON VIEW reporting.regional_telemetry IS 'Carbon intensity and generation mix of what each region consumes: one row per region and half-hour that has begun and has either. National values count what is generated, so regions 15 to 18 differ from reporting.telemetry.';
COMMENT ON COLUMN reporting.regional_telemetry.period_start_london IS 'Start of the half-hour by London''s clock, which shows one hour twice when summer time ends.';
COMMENT ON COLUMN reporting.regional_telemetry.settlement_date IS 'Settlement date: the day in London.';
COMMENT ON COLUMN reporting.regional_telemetry.settlement_period IS 'Settlement period of that day, from 1; a day has 46, 48 or 50.';
COMMENT ON COLUMN reporting.regional_telemetry.total_pct IS 'Sum of the nine shares, %: exactly 100, or null if there is no mix.';
COMMENT ON COLUMN reporting.regional_telemetry.renewable_pct IS 'Wind, solar and hydro together, %; null if there is no mix.';
COMMENT ON COLUMN reporting.regional_telemetry.zero_carbon_pct IS 'Wind, solar, hydro and nuclear together, %; null if there is no mix.';
COMMENT ON COLUMN reporting.regional_telemetry.fossil_pct IS 'Gas and coal together, %; null if there is no mix.';
COMMENT ON COLUMN reporting.regional_telemetry.simulated IS 'True where the recorded API derived the values from national ones: they were never published.';
{{ inherit_comments("reporting.regional_telemetry", "core.regions", "core.regional_intensity", "core.regional_mix") }}
