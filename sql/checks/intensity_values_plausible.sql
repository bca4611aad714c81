-- Half-hours of the window whose forecast or actual was set to null as impossible, is exactly 0
-- (which has never happened in GB), or differs by more than the limit from both neighbours, in the
-- same direction.
WITH beside AS (
    SELECT period_start, forecast_gco2_kwh AS forecast, actual_gco2_kwh AS actual,
           forecast_reason, actual_reason,
           lag(period_start) OVER w = period_start - interval '30 minutes'
               AND lead(period_start) OVER w = period_start + interval '30 minutes' AS has_both,
           forecast_gco2_kwh - lag(forecast_gco2_kwh) OVER w AS forecast_before,
           forecast_gco2_kwh - lead(forecast_gco2_kwh) OVER w AS forecast_after,
           actual_gco2_kwh - lag(actual_gco2_kwh) OVER w AS actual_before,
           actual_gco2_kwh - lead(actual_gco2_kwh) OVER w AS actual_after
    FROM core.intensity
    WHERE period_start >= %(start)s::timestamptz - interval '30 minutes'
      AND period_start < %(end)s::timestamptz + interval '30 minutes'
    WINDOW w AS (ORDER BY period_start)
)
SELECT period_start,
       concat_ws('; ', 'forecast: ' || forecast_reason, 'actual: ' || actual_reason,
                 CASE WHEN forecast = 0 THEN 'forecast is 0' END,
                 CASE WHEN actual = 0 THEN 'actual is 0' END,
                 CASE WHEN has_both AND least(abs(forecast_before), abs(forecast_after)) > %(far)s
                       AND sign(forecast_before) = sign(forecast_after)
                      THEN 'forecast ' || forecast || ' is far from both neighbours' END,
                 CASE WHEN has_both AND least(abs(actual_before), abs(actual_after)) > %(far)s
                       AND sign(actual_before) = sign(actual_after)
                      THEN 'actual ' || actual || ' is far from both neighbours' END) AS detail,
       count(*) OVER () AS total
FROM beside
WHERE period_start >= %(start)s AND period_start < %(end)s
  AND (forecast_reason IS NOT NULL OR actual_reason IS NOT NULL
       OR forecast = 0 OR actual = 0
       OR (has_both AND least(abs(forecast_before), abs(forecast_after)) > %(far)s
           AND sign(forecast_before) = sign(forecast_after))
       OR (has_both AND least(abs(actual_before), abs(actual_after)) > %(far)s
           AND sign(actual_before) = sign(actual_after)))
ORDER BY period_start DESC
LIMIT 10
