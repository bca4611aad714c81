-- Adds the row of the next attempt of a run at an asset; returns its number.
INSERT INTO ops.etl_runs (run_id, asset, attempt, trigger, partition_start, partition_end,
                          started_at, status, host, pid, process_started_s, heartbeat_at)
SELECT %(run_id)s, %(asset)s, 1 + count(*), %(trigger)s, %(first_day)s, %(last_day)s,
       clock_timestamp(), 'running', %(host)s, %(pid)s, %(process_started_s)s,
       clock_timestamp()
FROM ops.etl_runs
WHERE run_id = %(run_id)s AND asset = %(asset)s
RETURNING attempt
