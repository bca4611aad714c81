-- One forecast beside what happened: joined on series and target time, never on anything looser.
-- A forecast whose actual is not published yet has no row.
CREATE VIEW reporting.actual_vs_predicted AS
SELECT p.model, p.series,
       CASE p.series WHEN 'carbon_intensity' THEN 'gCO2/kWh' ELSE '%' END AS unit,
       p.issued_at, p.period_start,
       lead.minutes AS lead_minutes,
       forecast.lead_bucket(p.period_start - p.issued_at) AS lead_bucket,
       happened.actual, p.p10, p.p50, p.p90,
       p.p50 - happened.actual AS error,
       abs(p.p50 - happened.actual) AS abs_error,
       happened.actual BETWEEN p.p10 AND p.p90 AS inside_80,
       p.simulated
FROM forecast.predictions AS p
LEFT JOIN core.intensity AS i ON i.period_start = p.period_start AND p.series = 'carbon_intensity'
LEFT JOIN core.generation_mix AS m ON m.period_start = p.period_start AND p.series <> 'carbon_intensity'
CROSS JOIN LATERAL (SELECT
    CASE p.series
        WHEN 'carbon_intensity' THEN i.actual_gco2_kwh
        WHEN 'biomass' THEN m.biomass_pct
        WHEN 'coal' THEN m.coal_pct
        WHEN 'imports' THEN m.imports_pct
        WHEN 'gas' THEN m.gas_pct
        WHEN 'nuclear' THEN m.nuclear_pct
        WHEN 'other' THEN m.other_pct
        WHEN 'hydro' THEN m.hydro_pct
        WHEN 'solar' THEN m.solar_pct
        WHEN 'wind' THEN m.wind_pct
    END) AS happened (actual)
CROSS JOIN LATERAL (SELECT
    (extract(epoch FROM p.period_start - p.issued_at) / 60)::integer) AS lead (minutes)
WHERE happened.actual IS NOT NULL;

COMMENT ON VIEW reporting.actual_vs_predicted IS 'One forecast of one series and half-hour beside what happened.';
COMMENT ON COLUMN reporting.actual_vs_predicted.model IS 'chronos:<checkpoint>, seasonal_naive or neso.';
COMMENT ON COLUMN reporting.actual_vs_predicted.series IS 'carbon_intensity, or one of the nine fuels.';
COMMENT ON COLUMN reporting.actual_vs_predicted.unit IS 'Unit of actual, quantiles and errors: gCO2/kWh or %.';
COMMENT ON COLUMN reporting.actual_vs_predicted.issued_at IS 'When the forecast was issued, UTC.';
COMMENT ON COLUMN reporting.actual_vs_predicted.period_start IS 'Start of the forecast half-hour, UTC.';
COMMENT ON COLUMN reporting.actual_vs_predicted.lead_minutes IS 'Minutes from issue to the start of the half-hour; never negative.';
COMMENT ON COLUMN reporting.actual_vs_predicted.lead_bucket IS '0-3h, 3-6h, 6-12h, 12-24h or 24-48h, lower edge included.';
COMMENT ON COLUMN reporting.actual_vs_predicted.actual IS 'What happened: newest published actual, or the share in the completed mix.';
COMMENT ON COLUMN reporting.actual_vs_predicted.p10 IS '10 % quantile; null where the model gives no band.';
COMMENT ON COLUMN reporting.actual_vs_predicted.p50 IS 'Median forecast.';
COMMENT ON COLUMN reporting.actual_vs_predicted.p90 IS '90 % quantile; null where the model gives no band.';
COMMENT ON COLUMN reporting.actual_vs_predicted.error IS 'p50 minus actual.';
COMMENT ON COLUMN reporting.actual_vs_predicted.abs_error IS 'Absolute error.';
COMMENT ON COLUMN reporting.actual_vs_predicted.inside_80 IS 'Whether the actual lies within p10 to p90; null where the model gives no band.';
COMMENT ON COLUMN reporting.actual_vs_predicted.simulated IS 'True for a simulated forecast of the recorded API.';
GRANT SELECT ON reporting.actual_vs_predicted TO grid_reader;
-- a view's tables are read as its owner, its functions are called by whoever asks
GRANT EXECUTE ON FUNCTION forecast.lead_bucket(interval) TO grid_reader;
