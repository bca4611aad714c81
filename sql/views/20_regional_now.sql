-- The newest half-hour of each region; a region without any has a row with nulls.
{% from "macros.sql" import inherit_comments %}
{% set columns = ["period_start", "period_start_london", "settlement_date", "settlement_period",
                  "intensity_gco2_kwh", "intensity_index"] + fuels | map(attribute="column") | list
                 + ["total_pct", "renewable_pct", "zero_carbon_pct", "fossil_pct", "simulated"] %}
CREATE VIEW reporting.regional_now AS
SELECT region.region_id, region.short_name, newest.{{ columns | join(", newest.") }}
FROM core.regions AS region
-- OFFSET 0, so that each region's newest half-hour is found first and then looked up by the indexes
CROSS JOIN LATERAL (SELECT greatest(
    (SELECT max(i.period_start) FROM core.regional_intensity AS i
     WHERE i.region_id = region.region_id AND i.period_start <= now()),
    (SELECT max(m.period_start) FROM core.regional_mix AS m
     WHERE m.region_id = region.region_id AND m.period_start <= now())) AS period_start OFFSET 0) AS last
LEFT JOIN LATERAL (
    SELECT t.* FROM reporting.regional_telemetry AS t
    WHERE t.region_id = region.region_id AND t.period_start = last.period_start OFFSET 0
) AS newest ON true;

COMMENT ON VIEW reporting.regional_now IS 'The newest half-hour of each region in reporting.regional_telemetry; period_start says how old it is.';
{{ inherit_comments("reporting.regional_now", "core.regions", "reporting.regional_telemetry") }}
