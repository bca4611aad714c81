-- Dagster runs that are open, or were within the last seconds.
SELECT count(*)
FROM dagster.runs
WHERE status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED')
   OR end_time > extract(epoch FROM now()) - %s
