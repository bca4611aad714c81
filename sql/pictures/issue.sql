-- One issue of carbon intensity.
SELECT period_start, p10::float8, p50::float8, p90::float8
FROM forecast.predictions
WHERE model = %(model)s AND series = 'carbon_intensity' AND issued_at = %(issued_at)s
  AND period_start >= %(issued_at)s AND period_start < %(end)s
ORDER BY period_start
