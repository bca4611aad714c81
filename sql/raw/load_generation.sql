-- From the staged answers into the change-log: only what differs from the capture before it, and
-- from the one after it (where another process was faster with a later answer). Half-hours that are
-- new, as all are in a first load, are told by one hash and spared the comparison.
INSERT INTO raw.generation
    (period_start, captured_at,
     biomass_pct, coal_pct, imports_pct, gas_pct, nuclear_pct,
     other_pct, hydro_pct, solar_pct, wind_pct, unknown_pct)
SELECT s.period_start, s.captured_at,
       s.biomass_pct, s.coal_pct, s.imports_pct, s.gas_pct, s.nuclear_pct,
       s.other_pct, s.hydro_pct, s.solar_pct, s.wind_pct, s.unknown_pct
FROM staged AS s
WHERE s.period_start NOT IN (
    SELECT known.period_start
    FROM raw.generation AS known
    WHERE known.period_start >= (SELECT min(period_start) FROM staged)
      AND known.period_start <= (SELECT max(period_start) FROM staged)
)
OR NOT EXISTS (
    SELECT FROM (
        (SELECT b.biomass_pct, b.coal_pct, b.imports_pct, b.gas_pct, b.nuclear_pct,
                b.other_pct, b.hydro_pct, b.solar_pct, b.wind_pct, b.unknown_pct
         FROM raw.generation AS b
         WHERE b.period_start = s.period_start AND b.captured_at <= s.captured_at
         ORDER BY b.captured_at DESC LIMIT 1)
        UNION ALL
        (SELECT a.biomass_pct, a.coal_pct, a.imports_pct, a.gas_pct, a.nuclear_pct,
                a.other_pct, a.hydro_pct, a.solar_pct, a.wind_pct, a.unknown_pct
         FROM raw.generation AS a
         WHERE a.period_start = s.period_start AND a.captured_at > s.captured_at
         ORDER BY a.captured_at LIMIT 1)
    ) AS n
    WHERE (n.biomass_pct, n.coal_pct, n.imports_pct, n.gas_pct, n.nuclear_pct,
           n.other_pct, n.hydro_pct, n.solar_pct, n.wind_pct, n.unknown_pct)
          IS NOT DISTINCT FROM
          (s.biomass_pct, s.coal_pct, s.imports_pct, s.gas_pct, s.nuclear_pct,
           s.other_pct, s.hydro_pct, s.solar_pct, s.wind_pct, s.unknown_pct)
)
ON CONFLICT (period_start, captured_at) DO NOTHING
