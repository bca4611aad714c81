-- The greenest window, and by how much it is greener than the same use from `first` on.
SELECT period_start, gco2_kwh, forecast_model, issued_at, saved_gco2_kwh
FROM reporting.greenest_window(%(duration)s, %(first)s + %(within)s, %(first)s, region => %(region)s)
ORDER BY period_start
