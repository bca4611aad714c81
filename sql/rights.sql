-- Who owns what, and who may do what. Runs at the end of every migration, in the transaction that
-- renews the views.

-- grid_owner gets everything that this migration created and that the schema's previous owner has,
-- schemas first: it needs CREATE there to own what is in them. Indexes, identity sequences and row
-- types follow their table. Objects that somebody else created there, such as an analyst's view,
-- stay theirs: owned by grid_owner, a view might read less than they may, and a function do more.
DO $$
DECLARE
    object text;
BEGIN
    FOR object IN
        WITH ours AS (
            SELECT oid, nspname, nspowner,
                   ARRAY[nspowner, to_regrole(quote_ident(current_user))::oid] AS makers
            FROM pg_namespace
            WHERE nspname IN ('raw', 'core', 'forecast', 'ops', 'reporting')
        )
        SELECT command FROM (
            SELECT 1, format('SCHEMA %I', nspname)
            FROM ours WHERE nspowner <> 'grid_owner'::regrole
            UNION ALL
            SELECT 2, CASE relkind WHEN 'v' THEN 'VIEW ' WHEN 'm' THEN 'MATERIALIZED VIEW '
                                   WHEN 'S' THEN 'SEQUENCE ' WHEN 'c' THEN 'TYPE ' ELSE 'TABLE ' END || c.oid::regclass
            FROM pg_class AS c JOIN ours ON ours.oid = relnamespace
            WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'c') AND relowner <> 'grid_owner'::regrole
              AND relowner = ANY (makers)
              AND NOT EXISTS (SELECT FROM pg_depend AS d
                              WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                                AND c.relkind = 'S' AND d.deptype IN ('a', 'i'))
            UNION ALL
            SELECT 3, 'ROUTINE ' || p.oid::regprocedure
            FROM pg_proc AS p JOIN ours ON ours.oid = pronamespace
            WHERE proowner <> 'grid_owner'::regrole AND proowner = ANY (makers)
        ) AS found (place, command)
        ORDER BY place, command
    LOOP
        EXECUTE 'ALTER ' || object || ' OWNER TO grid_owner';
    END LOOP;
    -- for future migrations, which may create a schema
    IF NOT has_database_privilege('grid_owner', current_database(), 'CREATE') THEN
        EXECUTE format('GRANT CREATE ON DATABASE %I TO grid_owner', current_database());
    END IF;
END
$$;

-- Dagster's schema belongs to grid_writer, because Dagster creates and purges its tables itself.
-- (It stays empty if GRID_DAGSTER_DATABASE_URL names another place.)
DO $$
DECLARE
    object text;
BEGIN
    IF to_regnamespace('dagster') IS NULL THEN
        CREATE SCHEMA dagster AUTHORIZATION grid_writer;
    ELSE
        FOR object IN
            SELECT command FROM (
                SELECT 1, 'SCHEMA dagster' FROM pg_namespace
                WHERE nspname = 'dagster' AND nspowner <> 'grid_writer'::regrole
                UNION ALL
                SELECT 2, 'TABLE ' || oid::regclass FROM pg_class
                WHERE relnamespace = 'dagster'::regnamespace AND relkind = 'r'
                  AND relowner <> 'grid_writer'::regrole
            ) AS found (place, command)
            ORDER BY place, command
        LOOP
            EXECUTE 'ALTER ' || object || ' OWNER TO grid_writer';
        END LOOP;
    END IF;
END
$$;

-- grid_reader reads all of reporting. A view reads its tables as its owner, but calls functions as
-- the reader; without USAGE on forecast it can call those there in no other way.
GRANT USAGE ON SCHEMA reporting TO grid_reader;

-- grid_writer: no DELETE and no TRUNCATE anywhere. Rows are deleted only by functions that run as
-- grid_owner and check which rows may go.
GRANT USAGE ON SCHEMA raw, core, forecast, ops, reporting TO grid_writer;

-- Not ON ALL TABLES, which fails on a table that somebody else owns.
DO $$
DECLARE
    right_to text;
BEGIN
    FOR right_to IN
        WITH relation AS (
            SELECT c.oid, nspname, c.relname, relkind,
                   (SELECT string_agg(quote_ident(attname), ', ')
                    FROM pg_attribute
                    WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
                      AND NOT EXISTS (
                          SELECT FROM pg_index
                          WHERE indrelid = c.oid AND indisprimary AND attnum = ANY (indkey))
                   ) AS but_keys
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
            WHERE nspname IN ('raw', 'core', 'forecast', 'ops', 'reporting')
              AND relkind IN ('r', 'p', 'v', 'm') AND relowner = 'grid_owner'::regrole
        ), of_ops (relname, changes) AS (VALUES
            ('etl_runs', 'finished_at, execution_time_ms, rows_fetched, rows_written, '
                         'rows_quarantined, status, error_type, error_message, stack_trace, '
                         'heartbeat_at'),
            ('quarantine', 'reason, last_seen_at, times_seen, resolved_at'),
            ('alert_judgements', 'last_at, times'),
            ('alert_deliveries', 'event_start, event_end, title, body, status, attempts, '
                                 'last_attempt_at, delivered_to, closed_at, error_type, '
                                 'error_message'),
            ('alarms', 'severity, what, times, ended_at, told_at, recovery_told_at, closed_at'),
            ('alarm_messages', 'status, attempts, last_attempt_at, delivered_to, closed_at, '
                               'error_type, error_message'),
            ('heartbeat', 'cycle_at, is_healthy, tried_at, told_at, error_type, error_message'),
            ('clocks', 'compared_at, host, ahead_of_api, ahead_of_database'),
            ('locks', 'added_at')  -- the right to change a row is the right to lock it
        ), loaded AS (
            -- Tables that it adds to, and the columns that it changes: in core and forecast all but
            -- the key, so that a changed row never takes another one's place.
            SELECT r.oid, CASE nspname WHEN 'raw' THEN NULL WHEN 'ops' THEN changes
                                       ELSE but_keys END AS changes
            FROM relation AS r LEFT JOIN of_ops USING (relname)
            WHERE relkind IN ('r', 'p')
              -- only triggers write these, and nothing the mark of an earlier version
              AND r.relname NOT IN ('latest', 'incoming', 'incoming_neso_forecast', 'regional_days', 'thinning')
              -- only a migration writes these
              AND r.relname NOT IN ('regions', 'outward_codes')
              AND (nspname IN ('raw', 'core', 'forecast') OR nspname = 'ops' AND changes <> '')
        )
        SELECT command FROM (
            -- earlier versions let it change every column; this takes rights to columns back too
            SELECT 0, format('REVOKE INSERT, UPDATE ON %s FROM grid_writer', oid::regclass)
            FROM relation
            UNION ALL
            SELECT 1, format('GRANT SELECT ON %s TO grid_writer', oid::regclass) FROM relation
            UNION ALL
            SELECT 2, format('GRANT INSERT ON %s TO grid_writer', oid::regclass) FROM loaded
            UNION ALL
            SELECT 3, format('GRANT UPDATE (%s) ON %s TO grid_writer', changes, oid::regclass)
            FROM loaded WHERE changes <> ''
            UNION ALL
            -- a view whose trigger says what becomes of a row that is added to it
            SELECT 4, format('GRANT INSERT ON %s TO grid_writer', r.oid::regclass)
            FROM relation AS r JOIN pg_trigger ON tgrelid = r.oid
            WHERE relkind = 'v' AND nspname IN ('raw', 'forecast') AND tgtype & 64 > 0 AND tgtype & 4 > 0
            UNION ALL
            SELECT 5, format('GRANT SELECT ON %s TO grid_reader', oid::regclass)
            FROM relation WHERE nspname = 'reporting' AND relkind IN ('v', 'm')
            UNION ALL
            -- everyone may call a new function unless that is revoked
            SELECT 6, format(unnest(ARRAY['REVOKE ALL ON ROUTINE %s FROM PUBLIC',
                                          'GRANT EXECUTE ON ROUTINE %s TO grid_writer']
                                    || CASE nspname WHEN 'reporting'
                                       THEN ARRAY['GRANT EXECUTE ON ROUTINE %s TO grid_reader'] END),
                             p.oid::regprocedure)
            FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = pronamespace
            WHERE nspname IN ('raw', 'core', 'forecast', 'ops', 'reporting')
              AND proowner = 'grid_owner'::regrole
        ) AS found (place, command)
        ORDER BY place
    LOOP
        EXECUTE right_to;
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION forecast.lead_bucket(interval), forecast.regional_ahead(smallint, text) TO grid_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE grid_owner REVOKE ALL ON FUNCTIONS FROM PUBLIC;

-- Supabase's Data API uses these two roles. They get nothing, whatever the server's defaults grant.
DO $$
DECLARE
    schemas CONSTANT text[] := ARRAY['raw', 'core', 'forecast', 'ops', 'reporting', 'dagster'];
    outsider name;
    kind text;
    object text;
BEGIN
    FOR outsider IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE ALL ON SCHEMA %s FROM %I', array_to_string(schemas, ', '), outsider);
        FOR object IN  -- one by one, and only ours: see above
            SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE ' WHEN 'c' THEN 'TYPE ' ELSE 'TABLE ' END || c.oid::regclass
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
            WHERE nspname = ANY (schemas) AND relkind IN ('r', 'p', 'v', 'm', 'S')
              AND relowner IN ('grid_owner'::regrole, 'grid_writer'::regrole)
            UNION ALL
            SELECT 'ROUTINE ' || p.oid::regprocedure
            FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = pronamespace
            WHERE nspname = ANY (schemas)
              AND proowner IN ('grid_owner'::regrole, 'grid_writer'::regrole)
        LOOP
            EXECUTE format('REVOKE ALL ON %s FROM %I', object, outsider);
        END LOOP;
        FOREACH kind IN ARRAY ARRAY['TABLES', 'SEQUENCES', 'FUNCTIONS'] LOOP
            EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE grid_owner, grid_writer '
                           'IN SCHEMA %s REVOKE ALL ON %s FROM %I',
                           array_to_string(schemas, ', '), kind, outsider);
        END LOOP;
    END LOOP;
END
$$;

-- A lock for each relation that is written, while no writer holds one.
INSERT INTO ops.locks (name)
SELECT nspname || '.' || relname
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
WHERE nspname IN ('raw', 'core', 'forecast') AND relkind IN ('r', 'p', 'v')
  AND relowner = 'grid_owner'::regrole
ON CONFLICT DO NOTHING;
