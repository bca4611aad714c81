-- For each half-hour of an issue, NESO's newest forecast that had been captured by then.
SELECT DISTINCT ON (period_start) period_start, p50::float8, simulated
FROM forecast.predictions
WHERE model = 'neso' AND series = 'carbon_intensity'
  AND period_start >= %(issued_at)s AND period_start < %(end)s
  AND issued_at <= %(issued_at)s AND issued_at > %(issued_at)s - interval '48 hours'
ORDER BY period_start, issued_at DESC
