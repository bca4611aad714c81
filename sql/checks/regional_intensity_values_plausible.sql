-- Half-hours of regions in the window whose value was set to null as impossible. 0 is a common value
-- in Scotland.
SELECT core.period_start, region.short_name || ': ' || core.intensity_reason AS detail,
       count(*) OVER () AS total
FROM core.regions AS region
JOIN core.regional_intensity AS core
  ON core.region_id = region.region_id AND core.period_start >= %(start)s AND core.period_start < %(end)s
WHERE core.intensity_reason IS NOT NULL
ORDER BY core.period_start DESC, region.region_id
LIMIT 10
