-- Every version of the actuals of a window that reached core, and from when each was known. A value
-- is known from its capture. Where the first capture came over two days after the half-hour ended,
-- or the half-hour had ended before anything was ever captured here, history was loaded later: the
-- value is then taken as known from the end of the half-hour, and captured_at tells the difference.
-- A value of core that is not in raw was written by another program: the same rule, and known from
-- the end where it names no capture.
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
       CASE WHEN v.captured_at IS NULL
              OR v.captured_at = v.first_captured_at
             AND (v.captured_at > v.period_start + interval '30 minutes' + %(late)s::interval
                  OR v.period_start + interval '30 minutes' <= opened.at)
            THEN least(v.captured_at, v.period_start + interval '30 minutes')
            ELSE v.captured_at END AS known_from,
       v.captured_at,
       v.actual_gco2_kwh::float8
FROM version AS v CROSS JOIN opened
ORDER BY period_start, known_from, captured_at
