-- Past UTC days, from the start of history, whose regions have to be fetched: every day that lacks a
-- half-hour of a region in core, once a tenth of its age has passed since the last try, and every
-- day that may still be revised, once a day.
WITH candidate AS (
    SELECT (starts AT TIME ZONE 'UTC')::date AS day, starts + interval '24 hours' AS ends,
           %(now)s - starts AS age,
           held.intensity < 48 * held.regions OR held.mix < 48 * held.regions AS lacks
    FROM generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '24 hours',
                         interval '24 hours') AS starts
    CROSS JOIN LATERAL (
        -- each region's part of the index is looked up by itself
        SELECT count(*) AS regions,
               sum((SELECT count(*) FROM core.regional_intensity AS i
                    WHERE i.region_id = r.region_id
                      AND i.period_start >= starts AND i.period_start < starts + interval '24 hours')) AS intensity,
               sum((SELECT count(*) FROM core.regional_mix AS m
                    WHERE m.region_id = r.region_id
                      AND m.period_start >= starts AND m.period_start < starts + interval '24 hours')) AS mix
        FROM core.regions AS r
    ) AS held
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
