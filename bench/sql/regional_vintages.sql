-- Captured forecasts of the regions for the days before those that are there: the same ones again.
INSERT INTO raw.regional_vintages
SELECT v.issued_at - n * interval '2 days', v.starts_at - n * interval '2 days', v.simulated,
       v.forecast_tenths, v.biomass_tenths, v.coal_tenths, v.imports_tenths, v.gas_tenths, v.nuclear_tenths,
       v.other_tenths, v.hydro_tenths, v.solar_tenths, v.wind_tenths, v.unknown_pct
FROM raw.regional_vintages AS v
CROSS JOIN generate_series(1, %(forecasts)s / 2) AS n
