-- Whether an attempt at another asset has ended since the newest page was started. Not while anything
-- runs: its end will lead here again.
WITH page AS (
    SELECT max(started_at) AS begun FROM ops.etl_runs WHERE asset = 'files.dashboard'
)
SELECT EXISTS (
           SELECT FROM ops.etl_runs
           WHERE asset <> 'files.dashboard'
             -- no run lasts a day; an index reaches the rest
             AND started_at > coalesce(page.begun, '-infinity') - interval '1 day'
             AND finished_at > coalesce(page.begun, '-infinity'))
       AND NOT EXISTS (SELECT FROM ops.etl_runs WHERE status = 'running')
       AND coalesce(page.begun <= %(before)s, true)
FROM page
