-- Each UTC day of a span that lacks half-hours of generation: whether raw lacks Elexon's, or core has
-- fewer; whether raw lacks NESO's embedded estimates; and when Elexon's were last loaded for the
-- whole day.
WITH elexon AS (
    SELECT (period_start AT TIME ZONE 'UTC')::date AS day, count(*) AS n
    FROM (SELECT DISTINCT ON (period_start) period_start, generation_mw, demand_mw
          FROM raw.elexon_generation
          WHERE period_start >= %(start)s AND period_start < %(end)s
          ORDER BY period_start, arrival DESC, captured_at DESC) AS newest
    WHERE generation_mw <> '{}' AND demand_mw IS NOT NULL
    GROUP BY day
), embedded AS (
    SELECT (period_start AT TIME ZONE 'UTC')::date AS day, count(DISTINCT period_start) AS n
    FROM raw.embedded_generation
    WHERE period_start >= %(start)s AND period_start < %(end)s
    GROUP BY day
), published AS (
    SELECT (period_start AT TIME ZONE 'UTC')::date AS day, count(*) AS n
    FROM core.generation_mw
    WHERE period_start >= %(start)s AND period_start < %(end)s
    GROUP BY day
), found AS (
    SELECT (starts AT TIME ZONE 'UTC')::date AS day, starts + interval '24 hours' AS ends,
           coalesce(elexon.n, 0) < 48 OR coalesce(published.n, 0) < 48 AS lacks_elexon,
           coalesce(embedded.n, 0) < 48 AS lacks_embedded
    FROM generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '24 hours',
                         interval '24 hours') AS starts
    LEFT JOIN elexon ON elexon.day = (starts AT TIME ZONE 'UTC')::date
    LEFT JOIN embedded ON embedded.day = (starts AT TIME ZONE 'UTC')::date
    LEFT JOIN published ON published.day = (starts AT TIME ZONE 'UTC')::date
)
SELECT found.day, found.lacks_elexon, found.lacks_embedded, last.started_at
FROM found
LEFT JOIN LATERAL (
    SELECT run.started_at
    FROM ops.etl_runs AS run
    WHERE run.asset = 'raw.elexon_generation' AND run.status = 'success'
      AND run.partition_start <= found.day AND run.partition_end >= found.day
      AND run.started_at >= found.ends AND run.started_at <= now()
    ORDER BY run.started_at DESC LIMIT 1
) AS last ON true
WHERE found.lacks_elexon OR found.lacks_embedded
ORDER BY found.day
