-- The size of each of our tables, with indexes and TOAST.
SELECT c.oid::regclass::text, pg_total_relation_size(c.oid)
FROM pg_class AS c
WHERE c.relnamespace::regnamespace::text IN ('raw', 'core', 'forecast', 'ops')
  AND c.relkind IN ('r', 'm')
