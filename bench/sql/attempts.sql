-- The rows that the cycles of a span leave in the run log.
INSERT INTO ops.etl_runs
    (run_id, asset, attempt, trigger, partition_start, partition_end, started_at, finished_at,
     execution_time_ms, rows_fetched, rows_written, status, host, pid, heartbeat_at)
SELECT md5(at::text)::uuid, asset, 1, 'schedule', (at AT TIME ZONE 'UTC')::date - 1,
       (at AT TIME ZONE 'UTC')::date, at, at + interval '1 second', 1000, 960, 1920, 'success',
       'a-host-with-a-name pid:[4026531836]', 12345, at + interval '1 second'
FROM generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '1 second',
                     interval '30 minutes') AS at,
     unnest(ARRAY['raw.intensity', 'raw.generation', 'raw.neso_forecast', 'core.intensity',
                  'core.generation_mix', 'raw.outlook', 'core.outlook', 'raw.elexon_generation',
                  'raw.embedded_generation', 'core.generation_mw', 'forecast.predictions',
                  'forecast.accuracy', 'files.dashboard']) AS asset
ORDER BY at
