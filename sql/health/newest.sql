-- The newest actual, mix, NESO forecast and own forecast.
SELECT (SELECT max(period_start) FROM core.intensity WHERE actual_gco2_kwh IS NOT NULL),
       (SELECT max(period_start) FROM core.generation_mix),
       (SELECT max(issued_at) FROM raw.neso_vintages),
       (SELECT max(issued_at) FROM forecast.archive WHERE model <> 'neso')
