-- The last 24 hours: for each half-hour, series and model the last forecast issued before it began.
CREATE VIEW reporting.actual_vs_predicted_24h AS
SELECT DISTINCT ON (model, series, period_start)
       model, series, unit, issued_at, period_start, lead_minutes, lead_bucket,
       actual, p10, p50, p90, error, abs_error, inside_80, simulated
FROM reporting.actual_vs_predicted
WHERE period_start >= now() - interval '24 hours'
  AND period_start <= now()
  -- says nothing new, as no forecast reaches beyond 48 hours, but can be answered from an index
  AND issued_at >= now() - interval '72 hours'
ORDER BY model, series, period_start, issued_at DESC;

COMMENT ON VIEW reporting.actual_vs_predicted_24h IS 'One forecast of one series and half-hour beside what happened: the last issue before each half-hour of the last 24 hours.';
COMMENT ON COLUMN reporting.actual_vs_predicted_24h.model IS 'chronos:<checkpoint>, seasonal_naive or neso.';
COMMENT ON COLUMN reporting.actual_vs_predicted_24h.series IS 'carbon_intensity, or one of the nine fuels.';
COMMENT ON COLUMN reporting.actual_vs_predicted_24h.unit IS 'Unit of actual, quantiles and errors: gCO2/kWh or %.';
COMMENT ON COLUMN reporting.actual_vs_predicted_24h.issued_at IS 'When the forecast was issued, UTC.';
COMMENT ON COLUMN reporting.actual_vs_predicted_24h.period_start IS 'Start of the forecast half-hour, UTC.';
COMMENT ON COLUMN reporting.actual_vs_predicted_24h.lead_minutes IS 'Minutes from issue to the start of the half-hour; never negative.';
COMMENT ON COLUMN reporting.actual_vs_predicted_24h.lead_bucket IS '0-3h, 3-6h, 6-12h, 12-24h or 24-48h, lower edge included.';
COMMENT ON COLUMN reporting.actual_vs_predicted_24h.actual IS 'What happened: newest published actual, or the share in the completed mix.';
COMMENT ON COLUMN reporting.actual_vs_predicted_24h.p10 IS '10 % quantile; null where the model gives no band.';
COMMENT ON COLUMN reporting.actual_vs_predicted_24h.p50 IS 'Median forecast.';
COMMENT ON COLUMN reporting.actual_vs_predicted_24h.p90 IS '90 % quantile; null where the model gives no band.';
COMMENT ON COLUMN reporting.actual_vs_predicted_24h.error IS 'p50 minus actual.';
COMMENT ON COLUMN reporting.actual_vs_predicted_24h.abs_error IS 'Absolute error.';
COMMENT ON COLUMN reporting.actual_vs_predicted_24h.inside_80 IS 'Whether the actual lies within p10 to p90; null where the model gives no band.';
COMMENT ON COLUMN reporting.actual_vs_predicted_24h.simulated IS 'True for a simulated forecast of the recorded API.';
GRANT SELECT ON reporting.actual_vs_predicted_24h TO grid_reader;
