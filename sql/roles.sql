-- The statements that bring the three roles up to this version: one per row, in order, and no row
-- if nothing is missing. Every migration runs them, or shows them for an administrator if it may
-- not.
--
--   grid_owner    owns every relation and migrates
--   grid_writer   loads: adds to raw; adds and changes in core, forecast and ops, but no key; deletes
--                 nothing
--   grid_reader   reads reporting
--
-- rights.sql says what each may do. All can log in, because the settings and limits of a role apply
-- only to the role that logs in; without a password no password login succeeds. Limits and settings
-- that an administrator has changed are kept. Those of grid_reader are defaults: a session can change
-- all but the number of connections.
WITH wanted (place, name, attributes) AS (VALUES
    (1, 'grid_owner', ''),
    (2, 'grid_writer', ''),
    -- more than a team's dashboards need, and few enough to leave the writer its connections
    (3, 'grid_reader', ' CONNECTION LIMIT 32')
), setting (name, value) AS (VALUES
    ('statement_timeout', '60s'),
    ('idle_in_transaction_session_timeout', '60s'),
    ('default_transaction_read_only', 'on')
), may (act, options) AS (
    -- Before PostgreSQL 16 a member may always act as the role. Since 16 the creator of a role may
    -- grant it, but cannot use it until it grants itself SET and INHERIT.
    SELECT CASE WHEN since_16 THEN 'SET' ELSE 'MEMBER' END,
           CASE WHEN since_16 THEN ' WITH INHERIT TRUE, SET TRUE' ELSE '' END
    FROM (SELECT current_setting('server_version_num')::integer >= 160000) AS server (since_16)
)
SELECT statement
FROM (
    SELECT place, format('CREATE ROLE %I LOGIN%s', w.name, attributes)
    FROM wanted AS w
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = w.name)
    UNION ALL
    SELECT 10 + place, format('ALTER ROLE %I LOGIN', w.name)
    FROM wanted AS w JOIN pg_roles ON rolname = w.name
    WHERE NOT rolcanlogin
    UNION ALL
    SELECT 20 + place, format('ALTER ROLE %I%s', w.name, attributes)
    FROM wanted AS w JOIN pg_roles ON rolname = w.name
    WHERE attributes <> '' AND rolconnlimit < 0
    UNION ALL
    SELECT 30, format('ALTER ROLE grid_reader SET %I = %L', s.name, s.value)
    FROM setting AS s
    WHERE NOT EXISTS (SELECT FROM pg_roles, unnest(rolconfig) AS has
                      WHERE rolname = 'grid_reader' AND starts_with(has, s.name || '='))
    UNION ALL
    -- the owner gives Dagster's schema to the writer, and may do everything the writer may
    SELECT 40, 'GRANT grid_writer TO grid_owner' || options
    FROM may
    WHERE NOT coalesce(pg_has_role(to_regrole('grid_owner')::oid, to_regrole('grid_writer')::oid, act), false)
    UNION ALL
    -- the user who migrates hands what it creates to the owner
    SELECT 50, format('GRANT grid_owner TO %I', current_user) || options
    FROM may
    WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
      AND NOT coalesce(pg_has_role(to_regrole('grid_owner')::oid, act)
                       AND pg_has_role(to_regrole('grid_owner')::oid, 'USAGE'), false)
) AS needed (place, statement)
ORDER BY place, statement
