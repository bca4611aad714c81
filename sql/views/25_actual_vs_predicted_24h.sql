-- The last 24 hours: for each half-hour, series and model the last forecast issued before it began.
-- Starts from what happened, and looks up one forecast for each; reporting.actual_vs_predicted would
-- read every issue first.
CREATE VIEW reporting.actual_vs_predicted_24h AS
WITH happened AS MATERIALIZED (  -- in no order, so that it is joined by both of its columns at once
    SELECT period_start, series, actual
    FROM forecast.happened
    WHERE period_start >= now() - interval '24 hours' AND period_start <= now()
      AND actual IS NOT NULL
)
SELECT target.model, target.series,
       CASE target.series WHEN 'carbon_intensity' THEN 'gCO2/kWh' ELSE '%' END AS unit,
       newest.issued_at, target.period_start,
       lead.minutes AS lead_minutes,
       forecast.lead_bucket(target.period_start - newest.issued_at) AS lead_bucket,
       happened.actual, newest.p10, newest.p50, newest.p90,
       newest.p50 - happened.actual AS error,
       abs(newest.p50 - happened.actual) AS abs_error,
       happened.actual BETWEEN newest.p10 AND newest.p90 AS inside_80,
       newest.simulated
FROM happened
JOIN forecast.targets AS target
  ON target.period_start = happened.period_start AND target.series = happened.series
 -- says nothing new, but lets the index give a day instead of all days
 AND target.period_start >= now() - interval '24 hours' AND target.period_start <= now()
CROSS JOIN LATERAL (
    SELECT p.issued_at, p.p10, p.p50, p.p90, p.simulated
    FROM forecast.predictions AS p
    WHERE p.model = target.model AND p.series = target.series
      AND p.period_start = target.period_start
    ORDER BY p.issued_at DESC
    LIMIT 1
) AS newest
CROSS JOIN LATERAL (SELECT
    (extract(epoch FROM target.period_start - newest.issued_at) / 60)::integer) AS lead (minutes);

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
