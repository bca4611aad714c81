-- Stages what was received last of every half-hour of the window that has begun, cleaned.
CREATE TEMPORARY TABLE staged ON COMMIT DROP AS
SELECT DISTINCT ON (published.period_start)
       published.period_start,
       core.plausible_gco2_kwh(published.forecast_gco2_kwh) AS forecast_gco2_kwh,
       core.plausible_gco2_kwh(published.actual_gco2_kwh)   AS actual_gco2_kwh,
       published.intensity_index,
       core.implausible_reason(published.forecast_gco2_kwh) AS forecast_reason,
       core.implausible_reason(published.actual_gco2_kwh)   AS actual_reason,
       published.captured_at
FROM raw.intensity AS published
WHERE published.period_start >= %(start)s
  AND published.period_start < %(end)s
  AND published.period_start <= least(%(now)s, now())
ORDER BY published.period_start, published.arrival DESC, published.captured_at DESC
