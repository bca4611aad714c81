-- The newest forecast that NESO had issued in the 48 hours before an instant, cut to a window.
SELECT issued_at, period_start, forecast_gco2_kwh::float8
FROM raw.neso_forecast
WHERE issued_at = (SELECT max(issued_at)
                   FROM raw.neso_vintages
                   WHERE issued_at <= %(at)s AND issued_at > %(at)s - interval '48 hours')
  AND period_start >= %(start)s AND period_start < %(end)s
