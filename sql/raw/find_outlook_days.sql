-- The UTC days of a span on which raw lacks publications: those that hold fewer than `whole` of a
-- source, and those with more than the usual interval of a silence that is longer than its longest.
-- The ends of the span count as publications. With the start and the status of the last attempt at
-- the day that asked for all of it, which an attempt does once the day is over.
-- MATERIALIZED, because the parts would be computed again for each day.
WITH expected AS (
    SELECT source, whole, longest, usual
    FROM unnest(%(sources)s::text[], %(whole)s::integer[], %(longest)s::interval[],
                %(usual)s::interval[]) AS known (source, whole, longest, usual)
), held AS (
    SELECT DISTINCT source, published_at
    FROM raw.outlook_publications
    WHERE source = ANY(%(sources)s) AND published_at >= %(start)s AND published_at < %(end)s
), counted AS MATERIALIZED (
    SELECT source, (published_at AT TIME ZONE 'UTC')::date AS day, count(*) AS n
    FROM held
    GROUP BY source, day
), silences AS MATERIALIZED (
    SELECT step.source, step.since, step.until
    FROM (SELECT source, at AS since,
                 lead(at, 1, %(end)s::timestamptz) OVER (PARTITION BY source ORDER BY at) AS until
          FROM (SELECT source, published_at AS at FROM held
                UNION ALL SELECT source, %(start)s::timestamptz FROM expected) AS times) AS step
    JOIN expected USING (source)
    WHERE step.until - step.since > expected.longest
), tries AS MATERIALIZED (
    SELECT partition_start, partition_end, started_at, status
    FROM ops.etl_runs
    WHERE asset = 'raw.outlook' AND status IN ('success', 'failed')
      AND started_at BETWEEN %(start)s AND now()
      AND partition_end < (started_at AT TIME ZONE 'UTC')::date
)
SELECT expected.source, found.day, last.started_at, last.status
FROM expected
CROSS JOIN (SELECT starts, (starts AT TIME ZONE 'UTC')::date AS day
            FROM generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '24 hours',
                                 interval '24 hours') AS starts) AS found
LEFT JOIN counted ON counted.source = expected.source AND counted.day = found.day
LEFT JOIN LATERAL (
    SELECT started_at, status FROM tries
    WHERE partition_start <= found.day AND partition_end >= found.day
    ORDER BY started_at DESC LIMIT 1
) AS last ON true
WHERE coalesce(counted.n, 0) < expected.whole
   OR EXISTS (SELECT FROM silences
              WHERE silences.source = expected.source
                AND least(silences.until, found.starts + interval '24 hours')
                    - greatest(silences.since, found.starts) > expected.usual)
ORDER BY found.day
