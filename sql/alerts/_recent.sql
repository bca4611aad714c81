-- The forecasts from `first` on of the intensity of a region, or of Great Britain, that were issued
-- since `oldest`: the newest of each half-hour and model.
SELECT period_start, p50, model, issued_at
FROM (SELECT period_start, p50, model, issued_at, series
      FROM reporting.forecast_latest
      WHERE %(region)s::integer IS NULL
      UNION ALL
      SELECT period_start, p50, model, issued_at, series
      FROM reporting.regional_forecast_latest
      WHERE region_id = %(region)s::integer) AS newest
WHERE series = '{{ carbon_intensity.name }}' AND p50 IS NOT NULL
  AND period_start >= %(first)s AND issued_at >= %(oldest)s
