-- The newest half-hour with a mix, if it began too long ago.
SELECT max(period_start) AS period_start,
       coalesce('newest mix began ' || (%(now)s - max(period_start))::text || ' ago',
                'there is no mix') AS detail,
       1 AS total
FROM core.generation_mix
WHERE period_start <= %(now)s
HAVING (max(period_start) >= %(now)s - %(too_old)s::interval) IS NOT TRUE
