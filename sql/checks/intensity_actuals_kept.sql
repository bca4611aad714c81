-- Half-hours that would lose an actual that core has, if there are more than %(withdrawn)s and they
-- are most of those with one. Fewer are a correction by the source, and an impossible value does
-- not count, because it has a reason. If most of a window loses its actuals, the source answers
-- without its data.
WITH known AS (
    SELECT core.period_start,
           staged.actual_gco2_kwh IS NULL AND staged.actual_reason IS NULL AS is_lost
    FROM core.intensity AS core
    JOIN staged USING (period_start)
    WHERE core.actual_gco2_kwh IS NOT NULL
), counted AS (
    SELECT count(*) AS known, count(*) FILTER (WHERE is_lost) AS lost FROM known
)
SELECT known.period_start,
       counted.lost || ' of ' || counted.known || ' half-hours would lose their actual' AS detail,
       counted.lost AS total
FROM known
CROSS JOIN counted
WHERE known.is_lost AND counted.lost > %(withdrawn)s AND 2 * counted.lost > counted.known
ORDER BY known.period_start
LIMIT 10
