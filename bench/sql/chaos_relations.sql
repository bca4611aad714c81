-- Every relation of the warehouse, so that a staging table that was left is found.
SELECT namespace.nspname || '.' || relation.relname AS name
FROM pg_class AS relation
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
WHERE relation.relkind IN ('r', 'p', 'v', 'm', 'S')
  AND namespace.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND namespace.nspname NOT LIKE 'pg\_temp%%' AND namespace.nspname NOT LIKE 'pg\_toast\_temp%%'
