-- Size of each table with its indexes, and its number of rows when PostgreSQL last counted them (-1:
-- never). Read from the catalogue, so large tables take no longer. Partitions count for their table.
SELECT coalesce(pn.nspname || '.' || p.relname, n.nspname || '.' || c.relname) AS name,
       pg_total_relation_size(c.oid)::bigint AS bytes,
       c.reltuples::bigint AS row_count
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
LEFT JOIN pg_class AS p ON p.oid = i.inhparent
LEFT JOIN pg_namespace AS pn ON pn.oid = p.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'm')
