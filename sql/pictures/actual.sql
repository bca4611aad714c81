-- Actual carbon intensity of a span.
SELECT period_start, actual_gco2_kwh::float8
FROM core.intensity
WHERE period_start >= %(start)s AND period_start < %(end)s AND actual_gco2_kwh IS NOT NULL
ORDER BY period_start
