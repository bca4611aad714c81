-- The newest half-hour with a mix, when it began too long ago.
SELECT max(period_start) AS period_start,
       'newest mix began ' || coalesce((%(now)s - max(period_start))::text, 'never') || ' ago'
           AS detail,
       1 AS total
FROM core.generation_mix
HAVING (max(period_start) >= %(now)s - %(too_old)s::interval) IS NOT TRUE
