{# The command of the job, which pg_cron stores as it is. What is due is decided by the function that
   everything else asks. #}
SELECT net.http_post(url := {url}, body := '{{ "{{}}" }}'::jsonb, params := '{{ "{{}}" }}'::jsonb,
                     headers := jsonb_build_object('Content-Type', 'application/json', 'x-grid-secret', {secret}),
                     timeout_milliseconds := 5000)
WHERE forecast.due() = 'due'
