-- Forecasts of carbon intensity: for the last 24 hours, the last one issued before each half-hour;
-- for the hours ahead, the newest.
SELECT model, issued_at, period_start, p10, p50, p90, simulated
FROM reporting.actual_vs_predicted_24h
WHERE series = 'carbon_intensity'
UNION
SELECT model, issued_at, period_start, p10, p50, p90, simulated
FROM reporting.forecast_latest
WHERE series = 'carbon_intensity' AND period_start >= %(ahead)s
ORDER BY model, period_start, issued_at
