-- NESO's forecasts captured after one instant and by another, or at given ones, as arrays. Leaves
-- out simulated ones, which say nothing about NESO's accuracy.
SELECT issued_at, starts_at, forecast_gco2_kwh::real[]
FROM raw.neso_vintages
WHERE NOT simulated
  AND (issued_at > %(after)s AND issued_at <= %(to)s OR issued_at = ANY (%(times)s::timestamptz[]))
ORDER BY issued_at, part
