-- UTC days of a span for which raw has received newer values of a region than core holds, whichever
-- program wrote them. Leaves out days that a run is loading or publishing, those whose publication
-- failed recently, and mixes that a run has refused since.
{% from "macros.sql" import shares %}
WITH newest AS (
    SELECT region.region_id, r.*
    FROM core.regions AS region
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (period_start) period_start, captured_at, arrival
        FROM raw.regional
        WHERE region_id = region.region_id AND period_start >= %(start)s AND period_start < %(end)s
          AND period_start <= least(%(now)s, now()) AND forecast_gco2_kwh IS NOT NULL
        ORDER BY period_start, arrival DESC, captured_at DESC) AS r
), newest_mix AS (
    SELECT region.region_id, r.*
    FROM core.regions AS region
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (period_start) period_start, captured_at, arrival
        FROM raw.regional
        WHERE region_id = region.region_id AND period_start >= %(start)s AND period_start < %(end)s
          AND period_start <= least(%(now)s, now()) AND num_nonnulls({{ shares() }}) > 0
        ORDER BY period_start, arrival DESC, captured_at DESC) AS r
), newer AS (
    SELECT 'core.regional_intensity' AS asset, (n.period_start AT TIME ZONE 'UTC')::date AS day
    FROM newest AS n LEFT JOIN core.regional_intensity AS c USING (region_id, period_start)
    WHERE c.captured_at IS DISTINCT FROM n.captured_at
    UNION
    SELECT 'core.regional_mix', (n.period_start AT TIME ZONE 'UTC')::date
    FROM newest_mix AS n LEFT JOIN core.regional_mix AS c USING (region_id, period_start)
    WHERE c.captured_at IS DISTINCT FROM n.captured_at
      AND NOT EXISTS (
          SELECT FROM ops.quarantine AS q
          -- only records of this asset are cast: those are JSON
          CROSS JOIN LATERAL (SELECT CASE WHEN q.asset = 'core.regional_mix' AND NOT q.is_body
                                          THEN q.payload::jsonb END) AS refused (mix)
          WHERE q.asset = 'core.regional_mix' AND NOT q.is_body
            AND (refused.mix ->> 'region_id')::smallint = n.region_id
            AND (refused.mix ->> 'period_start')::timestamptz = n.period_start
            AND (refused.mix ->> 'arrival')::bigint >= n.arrival)
)
SELECT DISTINCT n.day
FROM newer AS n
WHERE NOT EXISTS (
    SELECT FROM ops.etl_runs AS e
    WHERE e.partition_start <= n.day AND e.partition_end >= n.day
      AND (e.status = 'running' AND e.asset = ANY(%(assets)s)
           OR e.status IN ('failed', 'crashed') AND e.asset = n.asset
              AND e.started_at > %(now)s - %(pause)s::interval
              -- an attempt stamped in the future must not make its days wait until then
              AND e.started_at <= now()))
ORDER BY n.day
