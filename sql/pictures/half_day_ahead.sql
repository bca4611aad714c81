-- For each half-hour, the newest forecast issued at least 12 hours before it, and the actual.
SELECT DISTINCT ON (period_start)
       period_start, p10::float8, p50::float8, p90::float8, actual::float8
FROM reporting.actual_vs_predicted
WHERE model = %(model)s AND series = 'carbon_intensity' AND lead_minutes >= 720
  AND period_start >= %(start)s AND period_start < %(end)s
ORDER BY period_start, issued_at DESC
