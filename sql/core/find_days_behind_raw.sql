-- UTC days for which raw holds newer rows than core, whichever program wrote them. Leaves out
-- half-hours that a run has refused since their capture, and days with an attempt that is running
-- or failed recently.
WITH newer AS (
    SELECT 'core.intensity' AS asset, (r.period_start AT TIME ZONE 'UTC')::date AS day
    FROM raw.intensity AS r
    LEFT JOIN core.intensity AS c USING (period_start)
    WHERE r.period_start >= %(start)s AND r.period_start <= %(now)s
      AND (c.period_start IS NULL OR r.captured_at > c.captured_at)
    UNION
    SELECT 'core.generation_mix', (r.period_start AT TIME ZONE 'UTC')::date
    FROM raw.generation AS r
    LEFT JOIN core.generation_mix AS c USING (period_start)
    WHERE r.period_start >= %(start)s AND r.period_start <= %(now)s
      AND (c.period_start IS NULL OR r.captured_at > c.captured_at)
      AND NOT EXISTS (
          SELECT FROM ops.quarantine AS q
          WHERE q.asset = 'core.generation_mix' AND NOT q.is_body
            AND q.last_seen_at >= r.captured_at
            -- only records of this asset are cast: those are JSON
            AND CASE WHEN q.asset = 'core.generation_mix' AND NOT q.is_body
                     THEN (q.payload::jsonb ->> 'period_start')::timestamptz END = r.period_start)
)
SELECT DISTINCT n.day
FROM newer AS n
WHERE NOT EXISTS (
    SELECT FROM ops.etl_runs AS e
    WHERE e.asset = n.asset AND e.partition_start <= n.day AND e.partition_end >= n.day
      AND (e.status = 'running' OR e.status IN ('failed', 'crashed') AND e.started_at > %(now)s - %(pause)s::interval))
ORDER BY n.day
