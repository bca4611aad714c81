-- Rows that the last seven days added to the tables that grow, each counted by an index. Forecasts are
-- counted by issue: 960 rows for our models, up to 96 for NESO.
SELECT 'raw.intensity', count(*) FROM raw.intensity WHERE period_start >= %(since)s
UNION ALL
SELECT 'raw.generation', count(*) FROM raw.generation WHERE period_start >= %(since)s
UNION ALL
SELECT 'raw.neso_forecast', count(*) FROM raw.neso_forecast WHERE issued_at >= %(since)s
UNION ALL
SELECT 'core.intensity', count(*) FROM core.intensity WHERE period_start >= %(since)s
UNION ALL
SELECT 'core.generation_mix', count(*) FROM core.generation_mix WHERE period_start >= %(since)s
UNION ALL
SELECT 'forecast.predictions',
       coalesce(sum(CASE WHEN model = 'neso' THEN 96 ELSE 960 END)
                FILTER (WHERE refused_reason IS NULL), 0)
FROM forecast.issues WHERE issued_at >= %(since)s
UNION ALL
SELECT 'forecast.issues', count(*) FROM forecast.issues WHERE issued_at >= %(since)s
UNION ALL
SELECT 'forecast.accuracy', count(*) FROM forecast.accuracy
WHERE target_date >= (%(since)s AT TIME ZONE 'UTC')::date
UNION ALL
SELECT 'ops.etl_runs', count(*) FROM ops.etl_runs WHERE started_at >= %(since)s
