-- The oldest UTC day before an instant that holds forecasts and is not thinned yet; null where there is
-- none. Asked by model and series, so that each is one probe of the key.
SELECT (min(oldest.period_start) AT TIME ZONE 'UTC')::date
FROM forecast.streams() AS s
CROSS JOIN LATERAL (
    SELECT p.period_start
    FROM forecast.predictions AS p
    WHERE p.model = s.model AND p.series = s.series
      AND p.period_start >= coalesce(
          (SELECT r.forecasts_thinned_to::timestamp AT TIME ZONE 'UTC' FROM ops.retention AS r),
          '-infinity')
      AND p.period_start < %(before)s
    ORDER BY p.period_start
    LIMIT 1) AS oldest
