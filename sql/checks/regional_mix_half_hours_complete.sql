-- Past UTC days of the window and regions with fewer than 48 half-hours in core.regional_mix.
SELECT day AS period_start, region.short_name || ': ' || (48 - held.n) || ' missing' AS detail,
       count(*) OVER () AS total
FROM generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '24 hours',
                     interval '24 hours') AS day
CROSS JOIN core.regions AS region
CROSS JOIN LATERAL (
    SELECT count(*) AS n FROM core.regional_mix AS core
    WHERE core.region_id = region.region_id
      AND core.period_start >= day AND core.period_start < day + interval '24 hours') AS held
WHERE day + interval '24 hours' <= %(now)s AND held.n < 48
ORDER BY day DESC, region.region_id
LIMIT 10
