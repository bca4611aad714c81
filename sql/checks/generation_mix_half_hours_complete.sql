-- Past UTC days of the window with fewer than 48 half-hours in core.generation_mix.
SELECT day AS period_start, (48 - count(core.period_start))::text || ' missing' AS detail,
       count(*) OVER () AS total
FROM generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '24 hours',
                     interval '24 hours') AS day
LEFT JOIN core.generation_mix AS core
       ON core.period_start >= day AND core.period_start < day + interval '24 hours'
WHERE day + interval '24 hours' <= %(now)s
GROUP BY day
HAVING count(core.period_start) < 48
ORDER BY day DESC
LIMIT 10
