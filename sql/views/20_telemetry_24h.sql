-- The half-hours of the last 24 hours, as reporting.telemetry.
CREATE VIEW reporting.telemetry_24h AS
SELECT * FROM reporting.telemetry
WHERE period_start >= now() - interval '24 hours';
COMMENT ON VIEW reporting.telemetry_24h IS 'The half-hours of the last 24 hours, as reporting.telemetry.';
COMMENT ON COLUMN reporting.telemetry_24h.period_start IS 'Start of the half-hour, UTC.';
COMMENT ON COLUMN reporting.telemetry_24h.settlement_date IS 'Settlement date: the day in London.';
COMMENT ON COLUMN reporting.telemetry_24h.settlement_period IS 'Settlement period of that day, from 1; a day has 46, 48 or 50.';
COMMENT ON COLUMN reporting.telemetry_24h.forecast_gco2_kwh IS 'Newest published forecast, gCO2/kWh.';
COMMENT ON COLUMN reporting.telemetry_24h.actual_gco2_kwh IS 'Newest published actual, gCO2/kWh; null until published.';
COMMENT ON COLUMN reporting.telemetry_24h.intensity_index IS 'Published band: very low, low, moderate, high, very high.';
COMMENT ON COLUMN reporting.telemetry_24h.biomass_pct IS 'Share of biomass, %; null where there is no mix or the source gave no share.';
COMMENT ON COLUMN reporting.telemetry_24h.coal_pct IS 'Share of coal, %; null where there is no mix or the source gave no share.';
COMMENT ON COLUMN reporting.telemetry_24h.imports_pct IS 'Share of imports, %; null where there is no mix or the source gave no share.';
COMMENT ON COLUMN reporting.telemetry_24h.gas_pct IS 'Share of gas, %; null where there is no mix or the source gave no share.';
COMMENT ON COLUMN reporting.telemetry_24h.nuclear_pct IS 'Share of nuclear, %; null where there is no mix or the source gave no share.';
COMMENT ON COLUMN reporting.telemetry_24h.other_pct IS 'Share of other, %; null where there is no mix or the source gave no share.';
COMMENT ON COLUMN reporting.telemetry_24h.hydro_pct IS 'Share of hydro, %; null where there is no mix or the source gave no share.';
COMMENT ON COLUMN reporting.telemetry_24h.solar_pct IS 'Share of solar, %; null where there is no mix or the source gave no share.';
COMMENT ON COLUMN reporting.telemetry_24h.wind_pct IS 'Share of wind, %; null where there is no mix or the source gave no share.';
COMMENT ON COLUMN reporting.telemetry_24h.total_pct IS 'Sum of the nine shares, %: exactly 100, or null where there is no mix.';
GRANT SELECT ON reporting.telemetry_24h TO grid_reader;
