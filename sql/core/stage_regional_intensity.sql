-- Stages of every region and half-hour of the window that has begun the value that was received
-- last, cleaned. A row without a value does not replace an earlier one.
CREATE TEMPORARY TABLE staged ON COMMIT DROP AS
SELECT DISTINCT ON (published.region_id, published.period_start)
       published.region_id, published.simulated, published.period_start,
       core.plausible_gco2_kwh(published.forecast_gco2_kwh) AS intensity_gco2_kwh,
       published.intensity_index,
       core.implausible_reason(published.forecast_gco2_kwh) AS intensity_reason,
       published.captured_at
FROM raw.regional AS published
-- each region's part of the index is looked up by itself
WHERE published.region_id = ANY (ARRAY(SELECT region_id FROM core.regions))
  AND published.period_start >= %(start)s
  AND published.period_start < %(end)s
  AND published.period_start <= least(%(now)s, now())
  AND published.forecast_gco2_kwh IS NOT NULL
ORDER BY published.region_id, published.period_start, published.arrival DESC, published.captured_at DESC
