-- Who is alive, and what is ours. (ops.locks is made before the first migration, by locks.sql.)

-- A process is the one that wrote the row if its id and its start are the same. The start is counted
-- from the machine's boot, so that no change of a clock, there or in the database, moves it.
ALTER TABLE ops.etl_runs ADD COLUMN IF NOT EXISTS process_started_s double precision;
COMMENT ON COLUMN ops.etl_runs.process_started_s IS 'Start of the process in seconds since its machine booted; with pid, it identifies the process.';

-- ops.reporting_objects: one row is one view or function of reporting that the last migration made.
-- Unique: name. A migration that renews the views drops these and no others, then lists the new ones.
CREATE TABLE IF NOT EXISTS ops.reporting_objects (
    kind text NOT NULL,
    name text NOT NULL,
    CONSTRAINT reporting_objects_pk PRIMARY KEY (name),
    CONSTRAINT reporting_objects_kind_known CHECK (kind IN ('VIEW', 'FUNCTION'))
);
COMMENT ON TABLE ops.reporting_objects IS 'Views and functions of reporting that the last migration made; it replaces no others.';
COMMENT ON COLUMN ops.reporting_objects.kind IS 'VIEW or FUNCTION.';
COMMENT ON COLUMN ops.reporting_objects.name IS 'Name in full; for a function, with the types of its arguments.';

-- What versions before this one have made.
INSERT INTO ops.reporting_objects (kind, name)
SELECT 'VIEW', 'reporting.' || relname
FROM pg_class
WHERE relnamespace = 'reporting'::regnamespace AND relkind = 'v'
  AND relname IN ('actual_vs_predicted', 'actual_vs_predicted_24h', 'etl_runs', 'forecast_accuracy',
                  'forecast_day_ahead', 'forecast_latest', 'generation_mix', 'generation_mix_24h',
                  'telemetry', 'telemetry_24h')
UNION ALL
SELECT 'FUNCTION', name
FROM (VALUES ('reporting.forecast_as_known_at(timestamp with time zone, timestamp with time zone)'),
             ('reporting.greenest_window(interval, timestamp with time zone, '
              'timestamp with time zone, boolean, text, text)'),
             ('reporting.intensity_as_known_at(timestamp with time zone)')) AS made (name)
WHERE to_regprocedure(name) IS NOT NULL
ON CONFLICT DO NOTHING;
