-- The newest capture of every half-hour of the window that has begun, as published.
SELECT DISTINCT ON (period_start)
       period_start, captured_at,
       biomass_pct, coal_pct, imports_pct, gas_pct, nuclear_pct, other_pct, hydro_pct, solar_pct,
       wind_pct, unknown_pct
FROM raw.generation
WHERE period_start >= %(start)s
  AND period_start < %(end)s
  AND period_start <= %(now)s
ORDER BY period_start, captured_at DESC
