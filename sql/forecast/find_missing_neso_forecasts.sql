-- What the vintages of a window have and the forecasts of model neso lack, such as a half-hour that
-- was in quarantine: the columns of forecast.predictions without a band.
WITH wanted AS MATERIALIZED (
    SELECT DISTINCT issued_at FROM raw.neso_vintages
    WHERE issued_at <= %(now)s AND issued_at >= %(start)s AND issued_at < %(end)s
), copied AS MATERIALIZED (
    SELECT wanted.issued_at, stored.period_start
    FROM wanted CROSS JOIN LATERAL (
        -- OFFSET 0, so that the archive is searched by issue
        SELECT period_start FROM forecast.predictions
        WHERE model = 'neso' AND series = '{{ carbon_intensity.name }}' AND issued_at = wanted.issued_at
        OFFSET 0) AS stored
)
SELECT 'neso', '{{ carbon_intensity.name }}', n.period_start, wanted.issued_at, wanted.issued_at,
       round(n.forecast_gco2_kwh, 1), n.simulated
FROM wanted CROSS JOIN LATERAL (
    SELECT period_start, forecast_gco2_kwh, simulated FROM raw.neso_forecast
    WHERE issued_at = wanted.issued_at OFFSET 0) AS n
WHERE n.period_start >= wanted.issued_at AND n.forecast_gco2_kwh BETWEEN 0 AND 1000
  AND (wanted.issued_at, n.period_start) NOT IN (SELECT issued_at, period_start FROM copied)
