-- What Supabase has of the parts that wake the edge function, and whether its role exists.
SELECT to_regproc('supabase_functions.http_request') IS NOT NULL AS webhooks,
       to_regproc('cron.schedule') IS NOT NULL AND to_regproc('net.http_post') IS NOT NULL AS cron,
       to_regproc('vault.create_secret') IS NOT NULL AS vault,
       to_regrole('grid_waker') IS NOT NULL AS role
