-- The weights of every region that had been fitted by each of some issue times: the number of the
-- issue from 0, region, lead bucket and weight.
SELECT issue.place - 1, weights.region_id, weights.lead_bucket, weights.weight
FROM unnest(%(times)s::timestamptz[]) WITH ORDINALITY AS issue (at, place)
CROSS JOIN core.regions AS region
CROSS JOIN LATERAL (
    SELECT max(w.fitted_at) AS fitted_at FROM forecast.regional_weights AS w
    WHERE w.region_id = region.region_id AND w.fitted_at <= issue.at) AS newest
JOIN forecast.regional_weights AS weights
  ON weights.region_id = region.region_id AND weights.fitted_at = newest.fitted_at
