-- One half-hour that has intensity or mix, or both.
CREATE VIEW reporting.telemetry AS
-- Written as two disjoint branches, not as a FULL JOIN: a filter on period_start then reaches the
-- index of both tables, where a FULL JOIN would read all of them.
WITH half_hour AS NOT MATERIALIZED (
    SELECT i.period_start, i.forecast_gco2_kwh, i.actual_gco2_kwh, i.intensity_index,
           m.biomass_pct, m.coal_pct, m.imports_pct, m.gas_pct, m.nuclear_pct,
           m.other_pct, m.hydro_pct, m.solar_pct, m.wind_pct,
           m.period_start IS NOT NULL AS has_mix
    FROM core.intensity AS i
    LEFT JOIN core.generation_mix AS m USING (period_start)
    UNION ALL
    SELECT m.period_start, NULL, NULL, NULL,
           m.biomass_pct, m.coal_pct, m.imports_pct, m.gas_pct, m.nuclear_pct,
           m.other_pct, m.hydro_pct, m.solar_pct, m.wind_pct,
           true
    FROM core.generation_mix AS m
    WHERE NOT EXISTS (SELECT FROM core.intensity AS i WHERE i.period_start = m.period_start)
)
SELECT h.period_start,
       (h.period_start AT TIME ZONE 'Europe/London')::date AS settlement_date,
       (1 + extract(epoch FROM h.period_start
                    - (h.period_start AT TIME ZONE 'Europe/London')::date::timestamp
                      AT TIME ZONE 'Europe/London') / 1800)::integer AS settlement_period,
       h.forecast_gco2_kwh, h.actual_gco2_kwh, h.intensity_index,
       h.biomass_pct, h.coal_pct, h.imports_pct, h.gas_pct, h.nuclear_pct,
       h.other_pct, h.hydro_pct, h.solar_pct, h.wind_pct,
       CASE WHEN h.has_mix
            THEN coalesce(h.biomass_pct, 0) + coalesce(h.coal_pct, 0) + coalesce(h.imports_pct, 0) + coalesce(h.gas_pct, 0)
                 + coalesce(h.nuclear_pct, 0) + coalesce(h.other_pct, 0) + coalesce(h.hydro_pct, 0)
                 + coalesce(h.solar_pct, 0) + coalesce(h.wind_pct, 0)
       END AS total_pct
FROM half_hour AS h;

COMMENT ON VIEW reporting.telemetry IS 'One half-hour that has intensity or mix, or both.';
COMMENT ON COLUMN reporting.telemetry.period_start IS 'Start of the half-hour, UTC.';
COMMENT ON COLUMN reporting.telemetry.settlement_date IS 'Settlement date: the day in London.';
COMMENT ON COLUMN reporting.telemetry.settlement_period IS 'Settlement period of that day, from 1; a day has 46, 48 or 50.';
COMMENT ON COLUMN reporting.telemetry.forecast_gco2_kwh IS 'Newest published forecast, gCO2/kWh.';
COMMENT ON COLUMN reporting.telemetry.actual_gco2_kwh IS 'Newest published actual, gCO2/kWh; null until published.';
COMMENT ON COLUMN reporting.telemetry.intensity_index IS 'Published band: very low, low, moderate, high, very high.';
COMMENT ON COLUMN reporting.telemetry.biomass_pct IS 'Share of biomass, %; null where there is no mix or the source gave no share.';
COMMENT ON COLUMN reporting.telemetry.coal_pct IS 'Share of coal, %; null where there is no mix or the source gave no share.';
COMMENT ON COLUMN reporting.telemetry.imports_pct IS 'Share of imports, %; null where there is no mix or the source gave no share.';
COMMENT ON COLUMN reporting.telemetry.gas_pct IS 'Share of gas, %; null where there is no mix or the source gave no share.';
COMMENT ON COLUMN reporting.telemetry.nuclear_pct IS 'Share of nuclear, %; null where there is no mix or the source gave no share.';
COMMENT ON COLUMN reporting.telemetry.other_pct IS 'Share of other, %; null where there is no mix or the source gave no share.';
COMMENT ON COLUMN reporting.telemetry.hydro_pct IS 'Share of hydro, %; null where there is no mix or the source gave no share.';
COMMENT ON COLUMN reporting.telemetry.solar_pct IS 'Share of solar, %; null where there is no mix or the source gave no share.';
COMMENT ON COLUMN reporting.telemetry.wind_pct IS 'Share of wind, %; null where there is no mix or the source gave no share.';
COMMENT ON COLUMN reporting.telemetry.total_pct IS 'Sum of the nine shares, %: exactly 100, or null where there is no mix.';
GRANT SELECT ON reporting.telemetry TO grid_reader;
