-- The first and the last half-hour with an actual that has ended.
SELECT min(period_start), max(period_start) FROM core.intensity
WHERE actual_gco2_kwh IS NOT NULL AND period_start <= %(now)s - interval '30 minutes'
