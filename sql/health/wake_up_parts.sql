-- What Supabase offers for waking a function, and whether this database has it.
SELECT wanted.name, EXISTS (SELECT FROM pg_extension WHERE extname = wanted.name)
FROM (VALUES ('pg_net'), ('pg_cron'), ('supabase_vault')) AS wanted (name)
UNION ALL
SELECT 'schema supabase_functions',
       EXISTS (SELECT FROM pg_namespace WHERE nspname = 'supabase_functions')
