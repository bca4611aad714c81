-- The newest half-hour with an actual, if it began too long ago.
SELECT max(period_start) AS period_start,
       coalesce('newest actual began ' || (%(now)s - max(period_start))::text || ' ago',
                'there is no actual') AS detail,
       1 AS total
FROM core.intensity
WHERE actual_gco2_kwh IS NOT NULL AND period_start <= %(now)s
HAVING (max(period_start) >= %(now)s - %(too_old)s::interval) IS NOT TRUE
