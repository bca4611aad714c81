-- One half-hour that has begun and has intensity or mix, or both.
{% from "macros.sql" import added_up, comments_on_combined_shares, comments_on_london_time, inherit_comments,
                            settlement_date, settlement_period, shares %}
CREATE VIEW reporting.telemetry AS
-- Two disjoint branches, not a FULL JOIN, so that a filter on period_start reaches the index of
-- both tables; a FULL JOIN would read all of them.
WITH half_hour AS NOT MATERIALIZED (
    SELECT i.period_start, i.forecast_gco2_kwh, i.actual_gco2_kwh, i.intensity_index,
           {{ shares("m") }},
           m.period_start IS NOT NULL AS has_mix
    FROM core.intensity AS i
    LEFT JOIN core.generation_mix AS m USING (period_start)
    UNION ALL
    SELECT m.period_start, NULL, NULL, NULL,
           {{ shares("m") }},
           true
    FROM core.generation_mix AS m
    WHERE NOT EXISTS (SELECT FROM core.intensity AS i WHERE i.period_start = m.period_start)
)
SELECT h.period_start,
       {{ settlement_date("h.period_start") }} AS settlement_date,
       {{ settlement_period("h.period_start") }} AS settlement_period,
       h.forecast_gco2_kwh, h.actual_gco2_kwh, h.intensity_index,
       {{ shares("h") }},
       CASE WHEN h.has_mix THEN {{ added_up(fuels | map(attribute="name"), "h") }} END AS total_pct,
       {% for column, some in combined_shares.items() %}
       CASE WHEN h.has_mix THEN {{ added_up(some, "h") }} END AS {{ column }},
       {% endfor %}
       h.period_start AT TIME ZONE 'Europe/London' AS period_start_london
FROM half_hour AS h
WHERE h.period_start <= now();

COMMENT ON VIEW reporting.telemetry IS 'Carbon intensity and generation mix: one row per half-hour that has begun and has either.';
COMMENT ON COLUMN reporting.telemetry.total_pct IS 'Sum of the nine shares, %: exactly 100, or null if there is no mix.';
{{ comments_on_combined_shares("reporting.telemetry", "Share of") }}
{{ comments_on_london_time("reporting.telemetry") }}
{{ inherit_comments("reporting.telemetry", "core.intensity", "core.generation_mix") }}
