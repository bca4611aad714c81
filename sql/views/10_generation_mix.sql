-- One half-hour and fuel: the share as published and in the exact mix.
CREATE VIEW reporting.generation_mix AS
SELECT mix.period_start, share.fuel, share.fuel_group, share.published_pct, share.pct
FROM core.generation_mix AS mix
LEFT JOIN raw.generation AS published USING (period_start, captured_at)
CROSS JOIN LATERAL (VALUES
    ('biomass', 'low_carbon', published.biomass_pct, mix.biomass_pct),
    ('coal', 'fossil', published.coal_pct, mix.coal_pct),
    ('imports', 'imports', published.imports_pct, mix.imports_pct),
    ('gas', 'fossil', published.gas_pct, mix.gas_pct),
    ('nuclear', 'low_carbon', published.nuclear_pct, mix.nuclear_pct),
    ('other', 'other', published.other_pct, mix.other_pct),
    ('hydro', 'renewable', published.hydro_pct, mix.hydro_pct),
    ('solar', 'renewable', published.solar_pct, mix.solar_pct),
    ('wind', 'renewable', published.wind_pct, mix.wind_pct)
) AS share (fuel, fuel_group, published_pct, pct);

COMMENT ON VIEW reporting.generation_mix IS 'One half-hour and fuel: the share as published and in the exact mix.';
COMMENT ON COLUMN reporting.generation_mix.period_start IS 'Start of the half-hour, UTC.';
COMMENT ON COLUMN reporting.generation_mix.fuel IS 'One of the nine fuels: biomass, coal, imports, gas, nuclear, other, hydro, solar, wind.';
COMMENT ON COLUMN reporting.generation_mix.fuel_group IS 'renewable (wind, solar, hydro), low_carbon (nuclear, biomass), fossil (gas, coal), imports, or other.';
COMMENT ON COLUMN reporting.generation_mix.published_pct IS 'Share as published, %; null where none was given.';
COMMENT ON COLUMN reporting.generation_mix.pct IS 'Share in the mix that sums to exactly 100, %; null where none was given.';
GRANT SELECT ON reporting.generation_mix TO grid_reader;
