-- Whether an attempt of another asset ended after the newest page was begun. While anything runs,
-- its end will ask again.
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
