-- Every view of reporting with its columns in their order; types as in the data dictionary.
SELECT relname AS view,
       attname AS name,
       replace(format_type(atttypid, atttypmod), 'timestamp with time zone', 'timestamptz') AS type,
       coalesce(col_description(attrelid, attnum), '') AS comment
FROM pg_class
JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
WHERE relnamespace = to_regnamespace('reporting') AND relkind IN ('v', 'm', 'r', 'p', 'f')
ORDER BY relname, attnum
