-- UTC days in core, Dagster's events, their bytes, and the bytes of all of Dagster's tables.
SELECT (SELECT count(DISTINCT (period_start AT TIME ZONE 'UTC')::date) FROM core.intensity),
       (SELECT count(*) FROM dagster.event_logs),
       pg_total_relation_size('dagster.event_logs'),
       sum(pg_total_relation_size(oid))
FROM pg_class WHERE relnamespace = 'dagster'::regnamespace AND relkind IN ('r', 'm')
