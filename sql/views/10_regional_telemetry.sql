-- One region and half-hour that has begun and has carbon intensity or mix, or both.
{% from "macros.sql" import added_up, comments_on_combined_shares, comments_on_london_time, inherit_comments,
                            london_time, shares %}
CREATE VIEW reporting.regional_telemetry AS
SELECT region.region_id, region.short_name, h.period_start,
       {{ london_time("h.period_start") }},
       h.intensity_gco2_kwh, h.intensity_index,
       {{ shares("h") }},
       CASE WHEN h.has_mix THEN {{ added_up(fuels | map(attribute="name"), "h") }} END AS total_pct,
       {% for column, some in combined_shares.items() %}
       CASE WHEN h.has_mix THEN {{ added_up(some, "h") }} END AS {{ column }},
       {% endfor %}
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

COMMENT ON VIEW reporting.regional_telemetry IS 'Carbon intensity and generation mix of what each region consumes: one row per region and half-hour that has begun and has either. National values count what is generated, so regions 15 to 18 need not have the values of reporting.telemetry.';
COMMENT ON COLUMN reporting.regional_telemetry.total_pct IS 'Sum of the nine shares, %: exactly 100, or null if there is no mix.';
{{ comments_on_combined_shares("reporting.regional_telemetry", "Share of") }}
{{ comments_on_london_time("reporting.regional_telemetry") }}
COMMENT ON COLUMN reporting.regional_telemetry.simulated IS 'True where the recorded API derived the values from national ones: they were never published.';
{{ inherit_comments("reporting.regional_telemetry", "core.regions", "core.regional_intensity", "core.regional_mix") }}
