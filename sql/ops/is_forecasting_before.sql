-- Whether a run, such as a back-test, is forecasting days before an instant.
SELECT EXISTS (
    SELECT FROM ops.etl_runs
    WHERE status = 'running'
      AND asset IN ('forecast.predictions', 'forecast.accuracy')
      AND partition_start < (%(before)s AT TIME ZONE 'UTC')::date)
