-- Publishes staged rows to core.intensity; unchanged rows are not rewritten.
INSERT INTO core.intensity AS published
    (period_start, forecast_gco2_kwh, actual_gco2_kwh, intensity_index,
     forecast_reason, actual_reason, captured_at)
SELECT period_start, forecast_gco2_kwh, actual_gco2_kwh, intensity_index,
       forecast_reason, actual_reason, captured_at
FROM staged
ON CONFLICT (period_start) DO UPDATE SET
    forecast_gco2_kwh = excluded.forecast_gco2_kwh,
    actual_gco2_kwh = excluded.actual_gco2_kwh,
    intensity_index = excluded.intensity_index,
    forecast_reason = excluded.forecast_reason,
    actual_reason = excluded.actual_reason,
    captured_at = excluded.captured_at
WHERE (published.forecast_gco2_kwh, published.actual_gco2_kwh, published.intensity_index,
       published.forecast_reason, published.actual_reason, published.captured_at)
      IS DISTINCT FROM
      (excluded.forecast_gco2_kwh, excluded.actual_gco2_kwh, excluded.intensity_index,
       excluded.forecast_reason, excluded.actual_reason, excluded.captured_at)
