-- Rules that hold for every warehouse after a clean cycle, and an example for each broken one.
SELECT 'ops.etl_runs left running' AS rule, to_jsonb(run_log) - 'stack_trace' AS example
FROM ops.etl_runs AS run_log
WHERE status = 'running'
UNION ALL
SELECT 'a Dagster run left open', jsonb_build_object('run', run_id, 'status', status)
FROM dagster.runs
WHERE status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED')
UNION ALL
SELECT 'a session left open', to_jsonb(session) - 'query'
FROM pg_stat_activity AS session
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
UNION ALL
SELECT 'a lock left held', jsonb_build_object('relation', relation::regclass::text, 'mode', mode)
FROM pg_locks
WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND pid <> pg_backend_pid()
UNION ALL
SELECT 'a prepared transaction left', jsonb_build_object('gid', gid)
FROM pg_prepared_xacts
UNION ALL
SELECT 'a row left in forecast.incoming', to_jsonb(incoming)
FROM forecast.incoming
UNION ALL
SELECT 'a row left in raw.incoming_neso_forecast', to_jsonb(incoming)
FROM raw.incoming_neso_forecast AS incoming
UNION ALL
SELECT 'in quarantine without being bad', to_jsonb(record) - 'payload'
FROM ops.quarantine AS record
WHERE NOT record.is_body AND NOT %(bad_records)s::boolean
UNION ALL
SELECT 'a half-hour in core that has not begun', jsonb_build_object('period_start', period_start)
FROM core.intensity
WHERE period_start > %(now)s
UNION ALL
SELECT 'a forecast that knew what came later', to_jsonb(issue) - 'blend'
FROM forecast.issues AS issue
WHERE model <> 'neso'
  -- by a clock that is behind, the half-hour before the next boundary has ended already
  AND (greatest(intensity_to, mix_to) > issued_at
       OR greatest(intensity_to, mix_to) = issued_at AND NOT %(wrong_clock)s::boolean)
UNION ALL
SELECT 'a prediction before its issue', jsonb_build_object('model', model, 'issued_at', issued_at)
FROM forecast.archive
WHERE starts_at < issued_at
UNION ALL
SELECT 'an issue without its predictions', to_jsonb(issue) - 'blend'
FROM forecast.issues AS issue
WHERE refused_reason IS NULL AND model <> 'neso'
  AND NOT EXISTS (SELECT FROM forecast.archive AS stored
                  WHERE stored.model = issue.model AND stored.issued_at = issue.issued_at)
UNION ALL
SELECT 'predictions without their issue', jsonb_build_object('model', model, 'issued_at', issued_at)
FROM forecast.archive AS stored
WHERE model <> 'neso'
  AND NOT EXISTS (SELECT FROM forecast.issues AS issue
                  WHERE stored.model = issue.model AND stored.issued_at = issue.issued_at)
