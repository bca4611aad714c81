-- The judged mixes into core; rows that would not change are not written. other_pct is not named:
-- the database derives it.
INSERT INTO core.generation_mix AS published
    (period_start,
     biomass_pct, coal_pct, imports_pct, gas_pct,
     nuclear_pct, hydro_pct, solar_pct, wind_pct,
     published_total_pct, adjustment, captured_at)
SELECT period_start,
       biomass_pct, coal_pct, imports_pct, gas_pct,
       nuclear_pct, hydro_pct, solar_pct, wind_pct,
       published_total_pct, adjustment, captured_at
FROM staged
ON CONFLICT (period_start) DO UPDATE SET
    biomass_pct = excluded.biomass_pct,
    coal_pct = excluded.coal_pct,
    imports_pct = excluded.imports_pct,
    gas_pct = excluded.gas_pct,
    nuclear_pct = excluded.nuclear_pct,
    hydro_pct = excluded.hydro_pct,
    solar_pct = excluded.solar_pct,
    wind_pct = excluded.wind_pct,
    published_total_pct = excluded.published_total_pct,
    adjustment = excluded.adjustment,
    captured_at = excluded.captured_at
WHERE (published.biomass_pct, published.coal_pct, published.imports_pct, published.gas_pct,
       published.nuclear_pct, published.hydro_pct, published.solar_pct, published.wind_pct,
       published.published_total_pct, published.adjustment, published.captured_at)
      IS DISTINCT FROM
      (excluded.biomass_pct, excluded.coal_pct, excluded.imports_pct, excluded.gas_pct,
       excluded.nuclear_pct, excluded.hydro_pct, excluded.solar_pct, excluded.wind_pct,
       excluded.published_total_pct, excluded.adjustment, excluded.captured_at)
