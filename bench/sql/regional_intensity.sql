-- Clean carbon intensity of all regions for years before those that are there.
INSERT INTO core.regional_intensity (region_id, period_start, intensity_gco2_kwh, intensity_index, captured_at)
SELECT region_id, at,
       round((120 + 80 * sin(extract(epoch FROM at) / 86400 + region_id) + 20 * random())::numeric),
       'moderate', at + interval '1 day'
FROM core.regions
CROSS JOIN generate_series(%(end)s - %(history)s * interval '1 day', %(end)s, interval '30 minutes') AS at
ON CONFLICT DO NOTHING
