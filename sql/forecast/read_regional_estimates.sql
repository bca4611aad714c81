-- The API's estimates for the half-hours of a span, by region.
SELECT region_id, period_start, intensity_gco2_kwh::real
FROM core.regional_intensity
WHERE region_id = ANY (ARRAY(SELECT region_id FROM core.regions))
  AND period_start >= %(start)s AND period_start < %(end)s
  AND intensity_gco2_kwh IS NOT NULL
