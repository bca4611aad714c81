-- Adds one half-hour to a captured forecast, unless it is there already or has no value.
INSERT INTO raw.neso_forecast (issued_at, period_start, forecast_gco2_kwh, simulated)
SELECT %(issued_at)s, %(period_start)s, %(forecast)s,
       EXISTS (SELECT FROM ops.warehouse WHERE kind = 'replay')
WHERE %(forecast)s::numeric IS NOT NULL
  AND NOT EXISTS (SELECT FROM raw.neso_forecast
                  WHERE issued_at = %(issued_at)s AND period_start = %(period_start)s)
