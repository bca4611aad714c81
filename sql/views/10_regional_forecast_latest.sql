-- The newest forecast of each region, series and half-hour, for each model: neso as published, and
-- blend where it is derived and shown. A region that the newest capture lacks has that of an earlier one.
{% from "macros.sql" import comments_on_london_time, lead_minutes, london_time, unit %}
CREATE VIEW reporting.regional_forecast_latest AS
SELECT region.region_id, region.short_name, ahead.model, ahead.issued_at, ahead.created_at, known.series,
       ahead.period_start,
       {{ london_time("ahead.period_start") }},
       ahead.p10, ahead.p50, ahead.p90,
       {{ lead_minutes("ahead.period_start", "ahead.issued_at") }} AS lead_minutes,
       {{ unit("known.series") }} AS unit, ahead.derived, ahead.simulated
FROM core.regions AS region
CROSS JOIN forecast.series AS known
-- once for each region and series that a filter leaves
CROSS JOIN LATERAL forecast.regional_ahead(region.region_id, known.series) AS ahead;

COMMENT ON VIEW reporting.regional_forecast_latest IS 'The newest forecast of each region, series and half-hour ahead of it, for each model. Values count what is consumed in the region, national forecasts what is generated: regions 15 to 18 are as published, not means of others.';
COMMENT ON COLUMN reporting.regional_forecast_latest.region_id IS 'Region, 1 to 18: 15 is England, 16 Scotland, 17 Wales, 18 Great Britain.';
COMMENT ON COLUMN reporting.regional_forecast_latest.short_name IS 'Name of the region as the API publishes it.';
COMMENT ON COLUMN reporting.regional_forecast_latest.model IS 'neso: as published. blend: NESO''s forecast of the region, moved by what our national forecast says of NESO''s; only carbon intensity, and only where it has been no worse.';
COMMENT ON COLUMN reporting.regional_forecast_latest.issued_at IS 'Issue time, UTC; for neso, when the forecast was captured.';
COMMENT ON COLUMN reporting.regional_forecast_latest.created_at IS 'When the forecast was made; for neso, when it was captured.';
COMMENT ON COLUMN reporting.regional_forecast_latest.series IS 'carbon_intensity (gCO2/kWh), or one of the nine fuels (%).';
COMMENT ON COLUMN reporting.regional_forecast_latest.period_start IS 'Start of the forecast half-hour, UTC.';
COMMENT ON COLUMN reporting.regional_forecast_latest.p10 IS '10 % quantile, gCO2/kWh; null for neso, which gives no band.';
COMMENT ON COLUMN reporting.regional_forecast_latest.p50 IS 'Forecast, gCO2/kWh or %. Shares are as published: their sum may differ from 100 by rounding.';
COMMENT ON COLUMN reporting.regional_forecast_latest.p90 IS '90 % quantile, gCO2/kWh; null for neso, which gives no band.';
COMMENT ON COLUMN reporting.regional_forecast_latest.lead_minutes IS 'Minutes from the issue to the start of the half-hour.';
COMMENT ON COLUMN reporting.regional_forecast_latest.unit IS 'gCO2/kWh or %.';
COMMENT ON COLUMN reporting.regional_forecast_latest.derived IS 'True for blend: derived from a published forecast of the region and two national ones.';
COMMENT ON COLUMN reporting.regional_forecast_latest.simulated IS 'True where the recorded API simulated it, or a forecast that it is derived from.';
{{ comments_on_london_time("reporting.regional_forecast_latest") }}
