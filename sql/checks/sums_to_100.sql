-- Staged mixes that do not sum to exactly 100 once rounded as the table stores them.
SELECT period_start, total_pct::text AS detail, count(*) OVER () AS total
FROM staged
CROSS JOIN LATERAL (SELECT
    coalesce(biomass_pct, 0)::numeric(6, 1) + coalesce(coal_pct, 0)::numeric(6, 1)
    + coalesce(imports_pct, 0)::numeric(6, 1) + coalesce(gas_pct, 0)::numeric(6, 1)
    + coalesce(nuclear_pct, 0)::numeric(6, 1) + other_pct::numeric(6, 1)
    + coalesce(hydro_pct, 0)::numeric(6, 1) + coalesce(solar_pct, 0)::numeric(6, 1)
    + coalesce(wind_pct, 0)::numeric(6, 1)) AS mix (total_pct)
WHERE total_pct IS DISTINCT FROM 100
ORDER BY period_start
LIMIT 10
