-- The fuels of the last 24 hours, as reporting.generation_mix.
CREATE VIEW reporting.generation_mix_24h AS
SELECT * FROM reporting.generation_mix
WHERE period_start >= now() - interval '24 hours';
COMMENT ON VIEW reporting.generation_mix_24h IS 'The fuels of the last 24 hours, as reporting.generation_mix.';
COMMENT ON COLUMN reporting.generation_mix_24h.period_start IS 'Start of the half-hour, UTC.';
COMMENT ON COLUMN reporting.generation_mix_24h.fuel IS 'One of the nine fuels: biomass, coal, imports, gas, nuclear, other, hydro, solar, wind.';
COMMENT ON COLUMN reporting.generation_mix_24h.fuel_group IS 'renewable (wind, solar, hydro), low_carbon (nuclear, biomass), fossil (gas, coal), imports, or other.';
COMMENT ON COLUMN reporting.generation_mix_24h.published_pct IS 'Share as published, %; null where none was given.';
COMMENT ON COLUMN reporting.generation_mix_24h.pct IS 'Share in the mix that sums to exactly 100, %; null where none was given.';
GRANT SELECT ON reporting.generation_mix_24h TO grid_reader;
