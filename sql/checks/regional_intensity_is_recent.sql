-- The newest half-hour of each region in core.regional_intensity, if it began too long ago.
SELECT newest.period_start,
       region.short_name || ': '
           || coalesce('the newest half-hour began ' || (%(now)s - newest.period_start)::text || ' ago',
                       'there is none') AS detail,
       count(*) OVER () AS total
FROM core.regions AS region
CROSS JOIN LATERAL (
    SELECT max(core.period_start) AS period_start FROM core.regional_intensity AS core
    WHERE core.region_id = region.region_id AND core.period_start <= %(now)s) AS newest
WHERE (newest.period_start >= %(now)s - %(too_old)s::interval) IS NOT TRUE
ORDER BY newest.period_start NULLS FIRST, region.region_id
LIMIT 10
