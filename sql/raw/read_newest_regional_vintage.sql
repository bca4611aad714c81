-- The newest captured forecast of the regions up to an instant, whole. One that is stamped later, by
-- a clock that was ahead, does not count.
SELECT starts_at, simulated, forecast_tenths,
       {% for fuel in fuels %}{{ fuel.name }}_tenths, {% endfor %}unknown_pct
FROM raw.regional_vintages
WHERE issued_at <= %(at)s
ORDER BY issued_at DESC
LIMIT 1
