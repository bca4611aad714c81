-- UTC days for which raw has received more than core holds, whichever program wrote it. Leaves out
-- mixes that a run has refused since, and days with an attempt that is running or failed recently.
-- Each table is bounded by itself, so that a look at the last week reads no more of any.
WITH newer AS (
    SELECT 'core.intensity' AS asset, (r.period_start AT TIME ZONE 'UTC')::date AS day
    FROM raw.intensity AS r
    LEFT JOIN core.intensity AS c
           ON c.period_start = r.period_start AND c.period_start >= %(start)s
    LEFT JOIN raw.intensity AS known
           ON known.period_start = c.period_start AND known.captured_at = c.captured_at
          AND known.period_start >= %(start)s
    WHERE r.period_start >= %(start)s AND r.period_start <= least(%(now)s, now())
      -- of rows with one number, a replayed one comes before the one that it was placed before
      AND (c.period_start IS NULL
           OR (r.arrival, r.captured_at) > (known.arrival, known.captured_at)
           OR (known.arrival IS NULL AND r.captured_at > c.captured_at))
    UNION
    SELECT 'core.generation_mix', (r.period_start AT TIME ZONE 'UTC')::date
    FROM raw.generation AS r
    LEFT JOIN core.generation_mix AS c
           ON c.period_start = r.period_start AND c.period_start >= %(start)s
    LEFT JOIN raw.generation AS known
           ON known.period_start = c.period_start AND known.captured_at = c.captured_at
          AND known.period_start >= %(start)s
    WHERE r.period_start >= %(start)s AND r.period_start <= least(%(now)s, now())
      AND (c.period_start IS NULL
           OR (r.arrival, r.captured_at) > (known.arrival, known.captured_at)
           OR (known.arrival IS NULL AND r.captured_at > c.captured_at))
      AND NOT EXISTS (
          SELECT FROM ops.quarantine AS q
          -- only records of this asset are cast: those are JSON
          CROSS JOIN LATERAL (SELECT CASE WHEN q.asset = 'core.generation_mix' AND NOT q.is_body
                                          THEN q.payload::jsonb END) AS refused (mix)
          WHERE q.asset = 'core.generation_mix' AND NOT q.is_body
            AND (refused.mix ->> 'period_start')::timestamptz = r.period_start
            -- entries of earlier versions lack the number
            AND coalesce((refused.mix ->> 'arrival')::bigint >= r.arrival,
                         q.last_seen_at >= r.captured_at))
)
SELECT DISTINCT n.day
FROM newer AS n
WHERE NOT EXISTS (
    SELECT FROM ops.etl_runs AS e
    WHERE e.asset = n.asset AND e.partition_start <= n.day AND e.partition_end >= n.day
      AND (e.status = 'running'
           OR e.status IN ('failed', 'crashed') AND e.started_at > %(now)s - %(pause)s::interval
              -- an attempt stamped in the future must not make its days wait until then
              AND e.started_at <= now()))
ORDER BY n.day
