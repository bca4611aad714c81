-- Every version of the actuals of a window that reached core, in the order in which they were
-- received, and the time from which each was known (forecast.known_from); captured_at shows whether
-- that is its time of capture. A value in core that is not in raw was written by another program.
{% from "macros.sql" import known_from %}
WITH published AS (
    SELECT r.period_start, r.captured_at, r.arrival,
           core.plausible_gco2_kwh(r.actual_gco2_kwh) AS actual_gco2_kwh
    FROM core.intensity AS c
    LEFT JOIN raw.intensity AS known
           ON known.period_start = c.period_start AND known.captured_at = c.captured_at
    JOIN raw.intensity AS r
      ON r.period_start = c.period_start
     AND ((r.arrival, r.captured_at) <= (known.arrival, known.captured_at)
          OR (known.arrival IS NULL AND r.captured_at <= c.captured_at))
    WHERE c.period_start >= %(start)s AND c.period_start < %(end)s
      AND r.actual_gco2_kwh IS NOT NULL
    UNION ALL
    SELECT c.period_start, c.captured_at, NULL, c.actual_gco2_kwh
    FROM core.intensity AS c
    WHERE c.period_start >= %(start)s AND c.period_start < %(end)s
      AND c.actual_gco2_kwh IS NOT NULL
      AND NOT EXISTS (SELECT FROM raw.intensity AS r
                      WHERE r.period_start = c.period_start AND r.captured_at = c.captured_at
                        AND r.actual_gco2_kwh IS NOT NULL)
), version AS (
    SELECT period_start, arrival, captured_at AS stamp, actual_gco2_kwh,
           -- a stamp from the future is wrong: all that is sure is that the value is known now
           CASE WHEN captured_at IS NOT NULL THEN least(captured_at, now()) END AS captured_at
    FROM published
), first AS (
    SELECT *, min(captured_at) OVER (PARTITION BY period_start) AS first_captured_at FROM version
), opened AS (
    SELECT min(captured_at) AS at FROM raw.intensity
)
SELECT v.period_start,
       {{ known_from("v", "opened.at") }} AS known_from,
       v.captured_at,
       v.actual_gco2_kwh::float8
FROM first AS v CROSS JOIN opened
ORDER BY v.period_start, v.arrival NULLS LAST, v.stamp
