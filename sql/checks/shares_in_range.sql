-- Staged mixes with a share below 0, above 100 or not a number (NaN sorts above every number).
SELECT period_start, string_agg(share.fuel || ' ' || share.pct, ', ') AS detail,
       count(*) OVER () AS total
FROM staged
CROSS JOIN LATERAL (VALUES
    ('biomass', biomass_pct), ('coal', coal_pct), ('imports', imports_pct), ('gas', gas_pct),
    ('nuclear', nuclear_pct), ('other', other_pct), ('hydro', hydro_pct), ('solar', solar_pct),
    ('wind', wind_pct)
) AS share (fuel, pct)
WHERE share.pct NOT BETWEEN 0 AND 100
GROUP BY period_start
ORDER BY period_start
LIMIT 10
