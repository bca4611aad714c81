-- The results of a backfill: rows, Dagster runs and events, failed attempts, and the seconds that
-- its assets took.
SELECT (SELECT count(*) FROM raw.intensity), (SELECT count(*) FROM core.intensity),
       (SELECT count(*) FROM raw.generation), (SELECT count(*) FROM core.generation_mix),
       count(DISTINCT run_id), count(*) FILTER (WHERE status <> 'success'),
       (SELECT count(*) FROM dagster.event_logs), sum(execution_time_ms) / 1000.0
FROM ops.etl_runs
