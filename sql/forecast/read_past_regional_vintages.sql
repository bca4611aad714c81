-- Captured forecasts of the regions, the first one in every stride, as arrays in tenths. One without
-- any value of a region has nulls there.
SELECT DISTINCT ON (date_bin(%(stride)s::interval, issued_at, %(after)s))
       issued_at, starts_at, simulated, forecast_tenths
FROM raw.regional_vintages
WHERE issued_at > %(after)s AND issued_at <= %(to)s
ORDER BY date_bin(%(stride)s::interval, issued_at, %(after)s), issued_at
