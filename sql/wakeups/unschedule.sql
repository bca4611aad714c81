-- Removes our jobs: one that is scheduled again keeps whether it is switched off.
SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname IN ('grid-forecast', 'grid-forecast-log')
