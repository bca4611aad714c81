-- Whether there is pg_cron, and whether this user may read its jobs; no row without pg_cron.
SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
WHERE nspname = 'cron' AND relname = 'job'
