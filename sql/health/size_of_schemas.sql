-- The size of the tables of some schemas, NULL if they have none.
SELECT pg_size_pretty(sum(pg_total_relation_size(oid)))
FROM pg_class
WHERE relnamespace::regnamespace::text = ANY(%(schemas)s) AND relkind IN ('r', 'm')
