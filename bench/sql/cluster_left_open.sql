-- What work that has ended may not leave: attempts that run, Dagster runs that are open, and
-- connections in a transaction.
SELECT (SELECT count(*) FROM ops.etl_runs WHERE status = 'running'),
       (SELECT count(*) FROM dagster.runs WHERE status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED')),
       (SELECT count(*) FROM pg_stat_activity
        WHERE state LIKE 'idle in transaction%%' AND state_change < now() - interval '1 minute')
