-- Generation of the last 24 hours that the outlook forecasts, MW.
SELECT period_start, wind_mw, solar_mw, demand_mw
FROM reporting.generation_mw
WHERE period_start >= %(since)s AND period_start <= %(now)s
ORDER BY period_start
