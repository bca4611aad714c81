-- Errors by model, series, UTC day of target and lead bucket. There is no MAPE: shares touch zero.
CREATE VIEW reporting.forecast_accuracy AS
SELECT model, series, target_date, lead_bucket, n, mae, bias, wape, pinball, coverage_80, simulated
FROM forecast.accuracy;

COMMENT ON VIEW reporting.forecast_accuracy IS 'Errors of one model and series over one UTC day of target and lead bucket.';
COMMENT ON COLUMN reporting.forecast_accuracy.model IS 'chronos:<checkpoint>, seasonal_naive or neso.';
COMMENT ON COLUMN reporting.forecast_accuracy.series IS 'carbon_intensity (gCO2/kWh), or one of the nine fuels (%).';
COMMENT ON COLUMN reporting.forecast_accuracy.target_date IS 'UTC day of the forecast half-hours.';
COMMENT ON COLUMN reporting.forecast_accuracy.lead_bucket IS '0-3h, 3-6h, 6-12h, 12-24h or 24-48h, lower edge included.';
COMMENT ON COLUMN reporting.forecast_accuracy.n IS 'Forecasts compared with an actual.';
COMMENT ON COLUMN reporting.forecast_accuracy.mae IS 'Mean absolute error, gCO2/kWh or %.';
COMMENT ON COLUMN reporting.forecast_accuracy.bias IS 'Mean error (median minus actual), gCO2/kWh or %.';
COMMENT ON COLUMN reporting.forecast_accuracy.wape IS 'Sum of absolute errors over sum of actuals; null where all actuals are 0.';
COMMENT ON COLUMN reporting.forecast_accuracy.pinball IS 'Mean pinball loss over the quantiles 0.1, 0.5 and 0.9, gCO2/kWh or %; null without a band.';
COMMENT ON COLUMN reporting.forecast_accuracy.coverage_80 IS 'Share of actuals inside p10 to p90, 0 to 1; 0.8 is wanted. Null without a band.';
COMMENT ON COLUMN reporting.forecast_accuracy.simulated IS 'True where the forecasts were simulated by the recorded API.';
GRANT SELECT ON reporting.forecast_accuracy TO grid_reader;
