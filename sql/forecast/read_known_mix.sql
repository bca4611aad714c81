-- Every version of the mixes of a window that reached core, in the order in which they were
-- received, and the time from which each was known, as in read_known_intensity. Shares are as
-- published, in the order of the API.
{% from "macros.sql" import known_from, shares %}
WITH published AS (
    SELECT r.period_start, r.captured_at, r.arrival,
           {{ shares("r") }}, r.unknown_pct
    FROM core.generation_mix AS c
    LEFT JOIN raw.generation AS known
           ON known.period_start = c.period_start AND known.captured_at = c.captured_at
    JOIN raw.generation AS r
      ON r.period_start = c.period_start
     AND ((r.arrival, r.captured_at) <= (known.arrival, known.captured_at)
          OR (known.arrival IS NULL AND r.captured_at <= c.captured_at))
    WHERE c.period_start >= %(start)s AND c.period_start < %(end)s
    UNION ALL
    SELECT c.period_start, c.captured_at, NULL,
           {{ shares("c") }}, '{}'
    FROM core.generation_mix AS c
    WHERE c.period_start >= %(start)s AND c.period_start < %(end)s
      AND NOT EXISTS (SELECT FROM raw.generation AS r
                      WHERE r.period_start = c.period_start AND r.captured_at = c.captured_at)
), version AS (
    SELECT period_start, arrival, captured_at AS stamp, {{ shares() }}, unknown_pct,
           CASE WHEN captured_at IS NOT NULL THEN least(captured_at, now()) END AS captured_at
    FROM published
), first AS (
    SELECT *, min(captured_at) OVER (PARTITION BY period_start) AS first_captured_at FROM version
), opened AS (
    SELECT min(captured_at) AS at FROM raw.generation
)
SELECT v.period_start,
       {{ known_from("v", "opened.at") }} AS known_from,
       v.captured_at,
       {{ shares("v") }}, v.unknown_pct
FROM first AS v CROSS JOIN opened
ORDER BY v.period_start, v.arrival NULLS LAST, v.stamp
