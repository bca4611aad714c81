-- What the current user is and may do in this database, as one row. Reads only catalogues that
-- everyone may read, so it works before the first migration and for a login without any right.
WITH relation AS (
    SELECT c.oid, nspname || '.' || relname AS name, has_schema_privilege(n.oid, 'USAGE') AS is_open
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
    WHERE nspname IN ('raw', 'core', 'ops', 'reporting')
), ours (name, oid) AS (
    SELECT rolname, oid FROM pg_roles WHERE rolname IN ('grid_owner', 'grid_writer', 'grid_reader')
)
SELECT me.rolname AS name,
       current_database() AS database,
       me.rolsuper AS is_superuser,
       -- since PostgreSQL 16, CREATEROLE is a right to new roles and to those that one administers
       me.rolsuper OR (me.rolcreaterole AND (
           current_setting('server_version_num')::integer < 160000
           OR NOT EXISTS (SELECT FROM ours
                          WHERE NOT pg_has_role(ours.oid, 'MEMBER WITH ADMIN OPTION'))
       )) AS may_change_roles,
       coalesce((SELECT array_agg(ours.name::text ORDER BY ours.name) FROM ours
                 WHERE pg_has_role(ours.oid, 'USAGE')), '{}') AS acts_as,
       (SELECT count(*) FROM ours) = 3 AS roles_exist,
       has_database_privilege(current_database(), 'CREATE') AS may_create,
       has_database_privilege(current_database(), 'TEMPORARY') AS may_stage,
       EXISTS (SELECT FROM relation WHERE relation.name = 'ops.warehouse') AS is_set_up,
       -- who may act as the owner of the schemas, or may create them
       coalesce((SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'ops'),
                has_database_privilege(current_database(), 'CREATE')) AS may_own,
       coalesce((SELECT bool_and(is_open AND has_table_privilege(oid, 'INSERT')) FROM relation
                 WHERE relation.name IN ('raw.intensity', 'core.intensity', 'ops.etl_runs')),
                false) AS may_load,
       coalesce((SELECT bool_and(is_open AND has_table_privilege(oid, 'SELECT')) FROM relation
                 WHERE relation.name IN ('ops.warehouse', 'ops._yoyo_migration')),
                false) AS may_inspect,
       coalesce((SELECT bool_and(is_open AND has_table_privilege(oid, 'SELECT')) FROM relation
                 WHERE relation.name = 'reporting.telemetry'), false) AS may_report
FROM pg_roles AS me
WHERE me.rolname = current_user
