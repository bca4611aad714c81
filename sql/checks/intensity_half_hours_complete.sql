-- Past UTC days of the window with fewer than 48 half-hours that have an actual, or the reason why
-- it is null, in core.intensity.
SELECT day AS period_start, (48 - count(core.period_start))::text || ' missing' AS detail,
       count(*) OVER () AS total
FROM generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '24 hours',
                     interval '24 hours') AS day
LEFT JOIN core.intensity AS core
       ON core.period_start >= day AND core.period_start < day + interval '24 hours'
      AND (core.actual_gco2_kwh IS NOT NULL OR core.actual_reason IS NOT NULL)
WHERE day + interval '24 hours' <= %(now)s
GROUP BY day
HAVING count(core.period_start) < 48
ORDER BY day DESC
LIMIT 10
