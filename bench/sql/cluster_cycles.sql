-- By the time at which it was due: when each cycle's run over the newest days ended.
SELECT date_bin(%(every)s::interval, to_timestamp(create_timestamp_s), 'epoch'), max(ended)
FROM (
    SELECT extract(epoch FROM create_timestamp) AS create_timestamp_s, to_timestamp(end_time) AS ended
    FROM dagster.runs
    WHERE status = 'SUCCESS' AND create_timestamp >= %(since)s::timestamptz AT TIME ZONE 'UTC'
      AND EXISTS (SELECT FROM dagster.run_tags AS t
                  WHERE t.run_id = runs.run_id AND t.key = 'grid/trigger' AND t.value = 'schedule')
      AND EXISTS (SELECT FROM dagster.run_tags AS t
                  WHERE t.run_id = runs.run_id AND t.key = 'dagster/priority')
) AS cycles
GROUP BY 1
