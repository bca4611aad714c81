-- Past UTC days, from the start of history, that have to be fetched: every day that lacks a mix or
-- an actual in core, and every day that may still be revised. A recent day that is incomplete is
-- fetched in every cycle, an old one once a tenth of its age has passed since the last try. A
-- recent day that is complete is fetched once a day.
WITH half_hour AS (
    SELECT (period_start AT TIME ZONE 'UTC')::date AS day, 1 AS intensity, 0 AS mix
    FROM core.intensity WHERE period_start >= %(start)s AND period_start < %(end)s
                          AND (actual_gco2_kwh IS NOT NULL OR actual_reason IS NOT NULL)
    UNION ALL
    SELECT (period_start AT TIME ZONE 'UTC')::date, 0, 1
    FROM core.generation_mix WHERE period_start >= %(start)s AND period_start < %(end)s
), present AS (
    SELECT day, sum(intensity) AS intensity, sum(mix) AS mix FROM half_hour GROUP BY day
), candidate AS (
    SELECT (starts AT TIME ZONE 'UTC')::date AS day,
           starts + interval '24 hours' AS ends,
           %(now)s - starts AS age,
           coalesce(present.intensity, 0) < 48 OR coalesce(present.mix, 0) < 48 AS lacks
    FROM generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '24 hours',
                         interval '24 hours') AS starts
    LEFT JOIN present ON present.day = (starts AT TIME ZONE 'UTC')::date
), tried AS (
    -- when all four assets last succeeded for the day, after it had ended
    SELECT candidate.day, candidate.age, candidate.lacks,
           CASE WHEN count(last.started_at) = 4 THEN min(last.started_at) END AS at
    FROM candidate
    CROSS JOIN unnest(ARRAY['raw.intensity', 'raw.generation',
                            'core.intensity', 'core.generation_mix']) AS wanted (asset)
    LEFT JOIN LATERAL (
        SELECT run.started_at
        FROM ops.etl_runs AS run
        WHERE run.asset = wanted.asset AND run.status = 'success'
          AND run.partition_start <= candidate.day AND run.partition_end >= candidate.day
          AND run.started_at >= candidate.ends AND run.started_at <= now()
        ORDER BY run.started_at DESC LIMIT 1
    ) AS last ON true
    WHERE candidate.lacks OR candidate.age < %(revised)s::interval
    GROUP BY candidate.day, candidate.age, candidate.lacks
)
SELECT day
FROM tried
WHERE at IS NULL
   OR %(now)s - at > CASE WHEN lacks AND age < %(revised)s::interval THEN interval '0'
                          WHEN lacks THEN age / 10
                          ELSE interval '24 hours' END
ORDER BY day
