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
                                   WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || c.oid::regclass
            FROM pg_class AS c JOIN ours ON ours.oid = relnamespace
            WHERE relkind IN ('r', 'p', 'v', 'm', 'S') AND relowner <> 'grid_owner'::regrole
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
-- the reader; without USAGE on forecast nobody else can call this one.
GRANT USAGE ON SCHEMA reporting TO grid_reader;

-- grid_writer: no DELETE and no TRUNCATE anywhere. Rows are deleted only by functions that run as
-- grid_owner and check which rows may go.
GRANT USAGE ON SCHEMA raw, core, forecast, ops, reporting TO grid_writer;
GRANT INSERT, UPDATE ON ops.etl_runs, ops.quarantine, ops.retention, ops.clocks TO grid_writer;

-- Not ON ALL TABLES, which fails on a table that somebody else owns.
DO $$
DECLARE
    command text;
BEGIN
    FOR command IN
        SELECT format('GRANT SELECT%s ON %s TO grid_writer',
                      -- only triggers write these
                      CASE WHEN relname IN ('latest', 'incoming', 'incoming_neso_forecast') THEN ''
                           WHEN nspname = 'raw' THEN ', INSERT'
                           WHEN nspname IN ('core', 'forecast') THEN ', INSERT, UPDATE'
                           ELSE '' END,
                      c.oid::regclass)
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
        WHERE nspname IN ('raw', 'core', 'forecast', 'ops', 'reporting')
          AND relkind IN ('r', 'p', 'v', 'm') AND relowner = 'grid_owner'::regrole
        UNION ALL
        SELECT format('GRANT SELECT ON %s TO grid_reader', oid::regclass)
        FROM pg_class
        WHERE relnamespace = 'reporting'::regnamespace
          AND relkind IN ('v', 'm') AND relowner = 'grid_owner'::regrole
        UNION ALL
        -- everyone may call a new function unless that is revoked
        SELECT format(unnest(ARRAY['REVOKE ALL ON ROUTINE %s FROM PUBLIC',
                                   'GRANT EXECUTE ON ROUTINE %s TO grid_writer']
                             || CASE nspname WHEN 'reporting'
                                THEN ARRAY['GRANT EXECUTE ON ROUTINE %s TO grid_reader'] END),
                      p.oid::regprocedure)
        FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = pronamespace
        WHERE nspname IN ('raw', 'core', 'forecast', 'ops', 'reporting')
          AND proowner = 'grid_owner'::regrole
    LOOP
        EXECUTE command;
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION forecast.lead_bucket(interval) TO grid_reader;
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
            SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || c.oid::regclass
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
