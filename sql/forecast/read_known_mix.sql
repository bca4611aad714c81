-- Every version of the mixes of a window that reached core, and the time from which it was known,
-- as in read_known_intensity. Shares are as published, in the order of the API.
{% from "macros.sql" import shares %}
WITH published AS (
    SELECT r.period_start, r.captured_at,
           {{ shares("r") }}, r.unknown_pct
    FROM core.generation_mix AS c
    JOIN raw.generation AS r ON r.period_start = c.period_start AND r.captured_at <= c.captured_at
    WHERE c.period_start >= %(start)s AND c.period_start < %(end)s
    UNION ALL
    SELECT c.period_start, c.captured_at,
           {{ shares("c") }}, '{}'
    FROM core.generation_mix AS c
    WHERE c.period_start >= %(start)s AND c.period_start < %(end)s
      AND NOT EXISTS (SELECT FROM raw.generation AS r
                      WHERE r.period_start = c.period_start AND r.captured_at = c.captured_at)
), version AS (
    SELECT *, min(captured_at) OVER (PARTITION BY period_start) AS first_captured_at FROM published
), opened AS (
    SELECT min(captured_at) AS at FROM raw.generation
)
SELECT v.period_start,
       forecast.known_from(v.period_start, v.captured_at, v.first_captured_at, opened.at, %(late)s)
           AS known_from,
       v.captured_at,
       {{ shares("v") }}, v.unknown_pct
FROM version AS v CROSS JOIN opened
ORDER BY period_start, known_from, captured_at
