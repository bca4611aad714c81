-- The newest half-hour of each region.
SELECT * FROM reporting.regional_now ORDER BY region_id
