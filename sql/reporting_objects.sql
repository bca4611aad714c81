-- The views and functions of reporting, named so that DROP understands it.
SELECT 'VIEW' AS kind, format('reporting.%I', relname) AS name
FROM pg_class
WHERE relnamespace = 'reporting'::regnamespace AND relkind = 'v'
UNION ALL
SELECT 'FUNCTION', format('reporting.%I(%s)', proname, oidvectortypes(proargtypes))
FROM pg_proc
WHERE pronamespace = 'reporting'::regnamespace AND prokind = 'f'
