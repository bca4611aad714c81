-- The process of the newest attempt of each run, and whether it has been silent for a while. A
-- heartbeat later than now, from a clock that has been put right since, is none.
SELECT DISTINCT ON (run_id)
       run_id, host, pid, process_started_s,
       coalesce(finished_at, heartbeat_at)
           NOT BETWEEN clock_timestamp() - %(silent)s AND clock_timestamp() + %(silent)s AS silent
FROM ops.etl_runs
WHERE run_id = ANY(%(run_ids)s)
ORDER BY run_id, started_at DESC
