-- The newest forecast of one series and half-hour, for each model.
-- One look into the primary key for each half-hour, not a sort of all its issues.
CREATE VIEW reporting.forecast_latest AS
SELECT target.model, newest.issued_at, newest.created_at, target.series, target.period_start,
       newest.p10, newest.p50, newest.p90,
       (extract(epoch FROM target.period_start - newest.issued_at) / 60)::integer AS lead_minutes,
       CASE target.series WHEN 'carbon_intensity' THEN 'gCO2/kWh' ELSE '%' END AS unit,
       newest.simulated
FROM forecast.targets AS target
CROSS JOIN LATERAL (
    SELECT p.issued_at, p.created_at, p.p10, p.p50, p.p90, p.simulated
    FROM forecast.predictions AS p
    WHERE p.model = target.model AND p.series = target.series
      AND p.period_start = target.period_start
    ORDER BY p.issued_at DESC
    LIMIT 1
) AS newest;

COMMENT ON VIEW reporting.forecast_latest IS 'The newest forecast of one series and half-hour, for each model.';
COMMENT ON COLUMN reporting.forecast_latest.model IS 'chronos:<checkpoint>, seasonal_naive or neso.';
COMMENT ON COLUMN reporting.forecast_latest.issued_at IS 'When the forecast was issued, UTC.';
COMMENT ON COLUMN reporting.forecast_latest.created_at IS 'When it was made; for neso, when it was captured.';
COMMENT ON COLUMN reporting.forecast_latest.series IS 'carbon_intensity, or one of the nine fuels.';
COMMENT ON COLUMN reporting.forecast_latest.period_start IS 'Start of the forecast half-hour, UTC.';
COMMENT ON COLUMN reporting.forecast_latest.p10 IS '10 % quantile, in unit; null where the model gives no band.';
COMMENT ON COLUMN reporting.forecast_latest.p50 IS 'Median, in unit.';
COMMENT ON COLUMN reporting.forecast_latest.p90 IS '90 % quantile, in unit; null where the model gives no band.';
COMMENT ON COLUMN reporting.forecast_latest.lead_minutes IS 'Minutes from issue to the start of the half-hour; never negative.';
COMMENT ON COLUMN reporting.forecast_latest.unit IS 'gCO2/kWh or %.';
COMMENT ON COLUMN reporting.forecast_latest.simulated IS 'True for a simulated forecast of the recorded API.';
GRANT SELECT ON reporting.forecast_latest TO grid_reader;
