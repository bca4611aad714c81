-- Writes rows as another program could: a half-hour with the newest values of the one before it.
WITH of_intensity AS (
    INSERT INTO raw.intensity
    SELECT DISTINCT ON (period_start) period_start + interval '30 minutes', now(),
           forecast_gco2_kwh, actual_gco2_kwh, intensity_index
    FROM raw.intensity WHERE period_start = %(before)s
    ORDER BY period_start, arrival DESC
)
INSERT INTO raw.generation
SELECT DISTINCT ON (period_start) period_start + interval '30 minutes', now(),
       biomass_pct, coal_pct, imports_pct, gas_pct, nuclear_pct, other_pct, hydro_pct,
       solar_pct, wind_pct, unknown_pct
FROM raw.generation WHERE period_start = %(before)s
ORDER BY period_start, arrival DESC
