-- Clean mixes of all regions for years before those that are there.
INSERT INTO core.regional_mix (region_id, period_start, biomass_pct, coal_pct, imports_pct, gas_pct, nuclear_pct,
                               hydro_pct, solar_pct, wind_pct, published_total_pct, captured_at)
SELECT region_id, at, 5.1, 0, 10.2, 25.5, 15.1, 1.2, 3.3, round((39.6 * random())::numeric, 1), 100,
       at + interval '1 day'
FROM core.regions
CROSS JOIN generate_series(%(end)s - %(history)s * interval '1 day', %(end)s, interval '30 minutes') AS at
ON CONFLICT DO NOTHING
