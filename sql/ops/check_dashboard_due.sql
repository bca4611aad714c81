-- Whether an attempt at an asset that the page shows has ended since the newest page was started. False while
-- anything runs, because the check is repeated when that ends.
WITH page AS (
    -- one stamped later than now, by a wrong clock, must not put off the next
    SELECT max(started_at) AS begun FROM ops.etl_runs
    WHERE asset = 'files.dashboard' AND started_at <= now()
)
SELECT EXISTS (
           SELECT FROM ops.etl_runs
           WHERE asset NOT LIKE 'files.%%' AND asset <> 'ops.alert_deliveries'
             -- no run lasts a day, and this lets an index be used
             AND started_at > coalesce(page.begun, '-infinity') - interval '1 day'
             AND finished_at > coalesce(page.begun, '-infinity'))
       AND NOT EXISTS (SELECT FROM ops.etl_runs WHERE status = 'running')
       AND coalesce(page.begun <= %(before)s, true)
FROM page
