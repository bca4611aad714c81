-- Copies NESO's captured 48-hour forecasts to predictions of model neso: all that are newer than
-- the newest one copied, so that an outage loses none, and those of a window. Leaves out half-hours
-- that had begun by the time of capture, because their values are not forecasts.
WITH wanted AS (
    SELECT issued_at FROM raw.neso_forecast
    WHERE issued_at <= %(now)s
      AND (issued_at > coalesce((SELECT max(issued_at) FROM forecast.issues WHERE model = 'neso'),
                                '-infinity')
           OR issued_at >= %(start)s AND issued_at < %(end)s)
    GROUP BY issued_at
), issue AS (
    INSERT INTO forecast.issues (model, issued_at, created_at, revision, context_missing,
                                 context_assumed, known_by)
    SELECT 'neso', issued_at, issued_at, 'published', 0, 0, 'capture' FROM wanted
    ON CONFLICT DO NOTHING
)
INSERT INTO forecast.predictions (model, series, period_start, issued_at, created_at, p50, simulated)
SELECT 'neso', 'carbon_intensity', n.period_start, n.issued_at, n.issued_at,
       round(n.forecast_gco2_kwh, 1), n.simulated
FROM raw.neso_forecast AS n JOIN wanted USING (issued_at)
WHERE n.period_start >= n.issued_at AND n.forecast_gco2_kwh BETWEEN 0 AND 1000
ON CONFLICT DO NOTHING
