-- Past UTC days, from the start of history, whose regions have to be fetched: every day that lacks a
-- half-hour of a region in core, once a tenth of its age has passed since the last try, and every
-- day that may still be revised, once a day.
WITH candidate AS (
    SELECT span.day, starts + interval '24 hours' AS ends, %(now)s - starts AS age,
           (SELECT count(*) FROM core.regional_days AS d
            WHERE d.day = span.day AND d.half_hours = 48 * (SELECT count(*) FROM core.regions)) < 2 AS lacks
    FROM generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '24 hours',
                         interval '24 hours') AS starts
    CROSS JOIN LATERAL (SELECT (starts AT TIME ZONE 'UTC')::date) AS span (day)
), tried AS (
    SELECT candidate.day, candidate.age, candidate.lacks, last.started_at AS at
    FROM candidate
    LEFT JOIN LATERAL (
        SELECT run.started_at
        FROM ops.etl_runs AS run
        WHERE run.asset = 'raw.regional' AND run.status IN ('success', 'failed')
          AND run.partition_start <= candidate.day AND run.partition_end >= candidate.day
          AND run.started_at >= candidate.ends AND run.started_at <= now()
        ORDER BY run.started_at DESC LIMIT 1
    ) AS last ON true
    WHERE candidate.lacks OR candidate.age < %(revised)s::interval
)
SELECT day
FROM tried
WHERE at IS NULL OR %(now)s - at > CASE WHEN lacks THEN age / 10 ELSE interval '24 hours' END
ORDER BY day
