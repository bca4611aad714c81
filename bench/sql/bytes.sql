-- Numbers of half-hours and issues, and the bytes that they take, with indexes and TOAST: our
-- telemetry without NESO's forecasts, the naive telemetry, our forecasts, the naive forecasts.
SELECT (SELECT count(*) FROM core.intensity), (SELECT count(*) FROM forecast.archive WHERE model <> 'neso'),
       sum(bytes) FILTER (WHERE nspname IN ('raw', 'core') AND relname !~ 'neso'),
       sum(bytes) FILTER (WHERE nspname = 'naive' AND relname !~ '^(predictions|issues)'),
       sum(bytes) FILTER (WHERE nspname = 'forecast'),
       sum(bytes) FILTER (WHERE nspname = 'naive' AND relname ~ '^(predictions|issues)')
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT pg_total_relation_size(c.oid)) AS size (bytes)
WHERE c.relkind = 'r'
