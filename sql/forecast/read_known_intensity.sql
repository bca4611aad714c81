-- Every version of the actuals of a window that reached core, and the time from which it was known
-- (forecast.known_from); captured_at shows whether that is its time of capture. A value in core
-- that is not in raw was written by another program.
WITH published AS (
    SELECT r.period_start, r.captured_at,
           core.plausible_gco2_kwh(r.actual_gco2_kwh) AS actual_gco2_kwh
    FROM core.intensity AS c
    JOIN raw.intensity AS r ON r.period_start = c.period_start AND r.captured_at <= c.captured_at
    WHERE c.period_start >= %(start)s AND c.period_start < %(end)s
      AND r.actual_gco2_kwh IS NOT NULL
    UNION ALL
    SELECT c.period_start, c.captured_at, c.actual_gco2_kwh
    FROM core.intensity AS c
    WHERE c.period_start >= %(start)s AND c.period_start < %(end)s
      AND c.actual_gco2_kwh IS NOT NULL
      AND NOT EXISTS (SELECT FROM raw.intensity AS r
                      WHERE r.period_start = c.period_start AND r.captured_at = c.captured_at
                        AND r.actual_gco2_kwh IS NOT NULL)
), version AS (
    SELECT *, min(captured_at) OVER (PARTITION BY period_start) AS first_captured_at FROM published
), opened AS (
    SELECT min(captured_at) AS at FROM raw.intensity
)
SELECT v.period_start,
       forecast.known_from(v.period_start, v.captured_at, v.first_captured_at, opened.at, %(late)s)
           AS known_from,
       v.captured_at,
       v.actual_gco2_kwh::float8
FROM version AS v CROSS JOIN opened
ORDER BY period_start, known_from, captured_at
