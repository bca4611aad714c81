-- The oldest UTC day before an instant that has forecasts and is not thinned yet; null if there is
-- none. Searches by model and series, so that each is one look-up in the primary key.
SELECT (min(oldest.period_start) AT TIME ZONE 'UTC')::date
FROM forecast.streams() AS s
CROSS JOIN LATERAL (
    SELECT p.period_start
    FROM forecast.predictions AS p
    WHERE p.model = s.model AND p.series = s.series
      AND p.period_start >= coalesce(
          (SELECT t.thinned_to::timestamp AT TIME ZONE 'UTC' FROM forecast.thinning AS t), '-infinity')
      AND p.period_start < %(before)s
    ORDER BY p.period_start
    LIMIT 1) AS oldest
