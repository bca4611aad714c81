-- Publishes staged rows to core.regional_intensity; unchanged rows are not rewritten.
INSERT INTO core.regional_intensity AS published
    (region_id, simulated, period_start, intensity_gco2_kwh, intensity_index, intensity_reason, captured_at)
SELECT region_id, simulated, period_start, intensity_gco2_kwh, intensity_index, intensity_reason, captured_at
FROM staged
ON CONFLICT (region_id, period_start) DO UPDATE SET
    simulated = excluded.simulated,
    intensity_gco2_kwh = excluded.intensity_gco2_kwh,
    intensity_index = excluded.intensity_index,
    intensity_reason = excluded.intensity_reason,
    captured_at = excluded.captured_at
WHERE (published.simulated, published.intensity_gco2_kwh, published.intensity_index,
       published.intensity_reason, published.captured_at)
      IS DISTINCT FROM
      (excluded.simulated, excluded.intensity_gco2_kwh, excluded.intensity_index,
       excluded.intensity_reason, excluded.captured_at)
