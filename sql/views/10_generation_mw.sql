{% from "macros.sql" import comments_on_london_time, inherit_comments, london_time %}
CREATE VIEW reporting.generation_mw AS
SELECT period_start, {% for fuel in fuels %}{{ fuel.name }}_mw, {% endfor %}

       demand_mw, recomputed_gco2_kwh, metered_wind_mw, embedded_wind_mw, embedded_known_by,
       {{ london_time("period_start") }}
FROM core.generation_mw
WHERE period_start <= now();

COMMENT ON VIEW reporting.generation_mw IS 'Generation by fuel from Elexon and NESO''s embedded estimates, and the carbon intensity recomputed from it: one row per half-hour that has begun.';
COMMENT ON COLUMN reporting.generation_mw.recomputed_gco2_kwh IS 'Carbon intensity recomputed from generation by fuel with the published factors, gCO2/kWh. The published intensity of the half-hour before fits it. Null where any fuel is null.';
{{ comments_on_london_time("reporting.generation_mw") }}
{{ inherit_comments("reporting.generation_mw", "core.generation_mw") }}
