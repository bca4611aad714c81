-- Actual intensity of the last 24 hours, and of the newest half-hour if that is older.
SELECT period_start, actual_gco2_kwh, intensity_index
FROM reporting.telemetry_24h
UNION
SELECT period_start, actual_gco2_kwh, intensity_index
FROM reporting.telemetry
WHERE period_start = %(newest)s
ORDER BY period_start
