-- The statements that close our schemas to outsiders: one per row, and no row if nothing is open.
-- Outsiders are everyone (PUBLIC) and the two roles of Supabase's Data API. They may not hold a
-- right of their own, nor be members of our roles, and the Data API may not serve our schemas.
WITH ours AS (
    SELECT oid, nspname, nspacl
    FROM pg_namespace
    WHERE nspname IN ('raw', 'core', 'forecast', 'ops', 'reporting', 'dagster')
), outsider (oid, name) AS (
    SELECT 0::oid, 'PUBLIC'
    UNION ALL
    SELECT oid, quote_ident(rolname) FROM pg_roles WHERE rolname IN ('anon', 'authenticated')
), granted (place, kind, nspname, grantee) AS (
    SELECT 1, 'SCHEMA', nspname, grantee FROM ours, aclexplode(nspacl)
    UNION ALL
    SELECT 2, CASE relkind WHEN 'S' THEN 'ALL SEQUENCES IN SCHEMA' ELSE 'ALL TABLES IN SCHEMA' END,
           nspname, grantee
    FROM ours JOIN pg_class ON relnamespace = ours.oid, aclexplode(relacl)
    UNION ALL
    SELECT 2, 'ALL TABLES IN SCHEMA', nspname, grantee
    FROM ours JOIN pg_class AS c ON relnamespace = ours.oid
        JOIN pg_attribute ON attrelid = c.oid, aclexplode(attacl)
    UNION ALL
    -- Everyone may call a new function, but not where they may not use its schema.
    SELECT 3, 'ALL ROUTINES IN SCHEMA', nspname, grantee
    FROM ours JOIN pg_proc ON pronamespace = ours.oid, aclexplode(proacl)
    WHERE grantee <> 0
), role (oid) AS (
    SELECT oid FROM pg_roles WHERE rolname IN ('grid_owner', 'grid_writer', 'grid_reader')
), served AS (
    SELECT setrole, datname, trim(both ' "' FROM schema) AS nspname, place
    FROM pg_db_role_setting LEFT JOIN pg_database AS d ON d.oid = setdatabase,
        unnest(setconfig) AS entry,
        string_to_table(split_part(entry, '=', 2), ',') WITH ORDINALITY AS listed (schema, place)
    WHERE starts_with(entry, 'pgrst.db_schemas=')
      AND (setdatabase = 0 OR datname = current_database())
)
SELECT statement
FROM (
    SELECT DISTINCT place, format('REVOKE ALL ON %s %I FROM %s', kind, nspname, outsider.name)
    FROM granted JOIN outsider ON grantee = outsider.oid
    UNION ALL
    SELECT 4, format('REVOKE %s FROM %s', roleid::regrole, member::regrole)
    FROM pg_auth_members
    WHERE roleid IN (TABLE role) AND member NOT IN (TABLE role)
      AND EXISTS (SELECT FROM outsider WHERE oid <> 0 AND pg_has_role(oid, member, 'MEMBER'))
    UNION ALL
    SELECT 5, format('ALTER ROLE %s%s SET pgrst.db_schemas = %L',
                     CASE setrole WHEN 0 THEN 'ALL' ELSE setrole::regrole::text END,
                     ' IN DATABASE ' || quote_ident(datname),
                     coalesce(string_agg(nspname, ', ' ORDER BY place)
                              FILTER (WHERE nspname NOT IN (SELECT nspname FROM ours)), 'public'))
    FROM served
    GROUP BY setrole, datname
    HAVING bool_or(nspname IN (SELECT nspname FROM ours))
    UNION ALL
    SELECT 6, $$NOTIFY pgrst, 'reload config'$$
    WHERE EXISTS (SELECT FROM served JOIN ours USING (nspname))
) AS found (place, statement)
ORDER BY place, statement
