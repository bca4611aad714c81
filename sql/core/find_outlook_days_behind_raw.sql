-- UTC days of a span for which raw has received more of the outlook, or of generation by fuel, than
-- core holds, whichever program wrote it. Leaves out days that a run is loading or publishing, and
-- those whose publication failed recently.
WITH newer AS (
    SELECT 'core.outlook' AS asset, (p.published_at AT TIME ZONE 'UTC')::date AS day
    -- by source and series, so that a short span reads only its part of the index
    FROM core.outlook_sources AS known
    CROSS JOIN LATERAL (
        SELECT r.published_at
        FROM raw.outlook_publications AS r
        WHERE r.source = known.source AND r.series = known.series
          AND r.published_at >= %(start)s AND r.published_at < %(end)s
          AND NOT EXISTS (
              SELECT FROM core.outlook AS c
              WHERE c.series = r.series AND c.source = r.source AND c.published_at = r.published_at
                AND c.captured_at = r.captured_at)
    ) AS p
    UNION
    SELECT 'core.generation_mw', (r.period_start AT TIME ZONE 'UTC')::date
    FROM (SELECT DISTINCT ON (period_start) period_start, captured_at
          FROM raw.elexon_generation
          WHERE period_start >= %(start)s AND period_start < %(end)s
            AND period_start <= least(%(now)s, now())
          ORDER BY period_start, arrival DESC, captured_at DESC) AS r
    LEFT JOIN core.generation_mw AS c
           ON c.period_start = r.period_start AND c.period_start >= %(start)s
    WHERE c.captured_at IS DISTINCT FROM r.captured_at
    UNION
    SELECT 'core.generation_mw', (e.period_start AT TIME ZONE 'UTC')::date
    FROM (SELECT DISTINCT ON (period_start) period_start, embedded_wind_mw, embedded_solar_mw
          FROM raw.embedded_generation
          WHERE period_start >= %(start)s AND period_start < %(end)s
          ORDER BY period_start, arrival DESC, captured_at DESC) AS e
    JOIN core.generation_mw AS c
      ON c.period_start = e.period_start AND c.period_start >= %(start)s
    WHERE num_nulls(e.embedded_wind_mw, e.embedded_solar_mw) = 0
      AND (c.embedded_known_by, c.embedded_wind_mw, c.solar_mw)
          IS DISTINCT FROM ('estimate', e.embedded_wind_mw, e.embedded_solar_mw)
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
