-- Bytes with indexes and TOAST, and what they hold: captured forecasts, clean half-hours of a region
-- (intensity and mix together), and captures of half-hours.
SELECT pg_total_relation_size('raw.regional_vintages'), (SELECT count(*) FROM raw.regional_vintages),
       pg_total_relation_size('core.regional_intensity') + pg_total_relation_size('core.regional_mix'),
       (SELECT count(*) FROM core.regional_intensity),
       pg_total_relation_size('raw.regional'), (SELECT count(*) FROM raw.regional)
