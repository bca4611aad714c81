-- The statements that open a closed database to the roles: one per row, and no row if nothing is
-- missing. Everyone has these rights unless they were revoked.
SELECT format('GRANT %s ON DATABASE %I TO %I', wanted.act, current_database(), wanted.role)
FROM (VALUES ('grid_owner', 'CONNECT'), ('grid_owner', 'TEMPORARY'),
             ('grid_writer', 'CONNECT'), ('grid_writer', 'TEMPORARY'),
             ('grid_reader', 'CONNECT')) AS wanted (role, act)
WHERE NOT has_database_privilege(wanted.role, current_database(), wanted.act)
UNION ALL
-- to migrate
SELECT 'GRANT USAGE ON LANGUAGE plpgsql TO grid_owner'
WHERE NOT has_language_privilege('grid_owner', 'plpgsql', 'USAGE')
