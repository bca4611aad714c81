-- The newest actual, mix, NESO forecast and own forecast.
SELECT (SELECT max(period_start) FROM core.intensity WHERE actual_gco2_kwh IS NOT NULL),
       (SELECT max(period_start) FROM core.generation_mix),
       (SELECT max(issued_at) FROM raw.neso_forecast),
       (SELECT max(issued_at) FROM forecast.predictions WHERE model <> 'neso')
