-- When the newest cycle over the newest days ended; null if none has. One whose run still works on
-- another asset has not, nor one that ended less than `settle` ago: its run may be between two assets.
SELECT max(finished_at)
FROM ops.etl_runs AS e
WHERE asset IN ('raw.intensity', 'raw.generation') AND status <> 'running'
  AND trigger = ANY (%(cycles)s) AND partition_end >= %(since)s
  AND started_at BETWEEN now() - interval '2 days' AND now()
  AND finished_at <= clock_timestamp() - %(settle)s::interval
  AND NOT EXISTS (SELECT FROM ops.etl_runs AS r WHERE r.run_id = e.run_id AND r.status = 'running')
