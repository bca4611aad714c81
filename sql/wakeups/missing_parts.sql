-- What Supabase has of the parts that wake the edge function, and whether its role exists. Some of
-- these functions have several forms.
WITH has AS (
    SELECT nspname || '.' || proname AS name
    FROM pg_proc JOIN pg_namespace AS n ON n.oid = pronamespace
)
SELECT EXISTS (SELECT FROM has WHERE name = 'supabase_functions.http_request') AS webhooks,
       EXISTS (SELECT FROM has WHERE name = 'cron.schedule')
           AND EXISTS (SELECT FROM has WHERE name = 'net.http_post') AS cron,
       EXISTS (SELECT FROM has WHERE name = 'vault.create_secret') AS vault,
       EXISTS (SELECT FROM pg_roles WHERE rolname = 'grid_waker') AS role
