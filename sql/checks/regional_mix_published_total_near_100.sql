-- Half-hours of regions in the window whose published shares sum to less than 99.7 or more than 100.3.
SELECT core.period_start,
       region.short_name || ': published shares sum to ' || core.published_total_pct AS detail,
       count(*) OVER () AS total
FROM core.regions AS region
JOIN core.regional_mix AS core
  ON core.region_id = region.region_id AND core.period_start >= %(start)s AND core.period_start < %(end)s
WHERE abs(core.published_total_pct - 100) > 0.3
ORDER BY core.period_start DESC, region.region_id
LIMIT 10
