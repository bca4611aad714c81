-- Wakes the edge function every minute in which a forecast is due, and keeps the log of these jobs
-- short.
SELECT cron.schedule('grid-forecast', '* * * * *', %(wake)s),
       cron.schedule('grid-forecast-log', '17 3 * * *',
                     $$DELETE FROM cron.job_run_details USING cron.job
                       WHERE job.jobid = job_run_details.jobid AND job.jobname LIKE 'grid-forecast%%'
                         AND end_time < now() - interval '7 days'$$)
