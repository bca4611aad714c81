-- Half-hours of the window for which a fuel was published that is not one of the nine, or one of
-- the nine was not.
SELECT core.period_start,
       concat_ws('; ', 'unknown: ' || nullif(raw.unknown_pct, '{}')::text,
                 'missing: ' || nullif(concat_ws(', ',
                     CASE WHEN raw.biomass_pct IS NULL THEN 'biomass' END,
                     CASE WHEN raw.coal_pct IS NULL THEN 'coal' END,
                     CASE WHEN raw.imports_pct IS NULL THEN 'imports' END,
                     CASE WHEN raw.gas_pct IS NULL THEN 'gas' END,
                     CASE WHEN raw.nuclear_pct IS NULL THEN 'nuclear' END,
                     CASE WHEN raw.other_pct IS NULL THEN 'other' END,
                     CASE WHEN raw.hydro_pct IS NULL THEN 'hydro' END,
                     CASE WHEN raw.solar_pct IS NULL THEN 'solar' END,
                     CASE WHEN raw.wind_pct IS NULL THEN 'wind' END), '')) AS detail,
       count(*) OVER () AS total
FROM core.generation_mix AS core
JOIN raw.generation AS raw USING (period_start, captured_at)
WHERE core.period_start >= %(start)s AND core.period_start < %(end)s
  AND (raw.unknown_pct <> '{}'
       OR num_nulls(raw.biomass_pct, raw.coal_pct, raw.imports_pct, raw.gas_pct, raw.nuclear_pct,
                    raw.other_pct, raw.hydro_pct, raw.solar_pct, raw.wind_pct) > 0)
ORDER BY core.period_start DESC
LIMIT 10
