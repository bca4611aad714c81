-- What each table weighs with its indexes, and how many rows it had when it was last counted (-1: never).
-- From the catalogue, so it takes no longer for a large table. Partitions go by the name of their table.
SELECT coalesce(pn.nspname || '.' || p.relname, n.nspname || '.' || c.relname) AS name,
       pg_total_relation_size(c.oid)::bigint AS bytes,
       c.reltuples::bigint AS row_count
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
LEFT JOIN pg_class AS p ON p.oid = i.inhparent
LEFT JOIN pg_namespace AS pn ON pn.oid = p.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'm')
