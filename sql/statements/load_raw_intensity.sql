-- From the staged answer into the change-log: only what differs from the capture before it, and
-- from the one after it (where another process was faster with a later answer).
INSERT INTO raw.intensity
    (period_start, captured_at, forecast_gco2_kwh, actual_gco2_kwh, intensity_index)
SELECT s.period_start, s.captured_at, s.forecast_gco2_kwh, s.actual_gco2_kwh, s.intensity_index
FROM staged AS s
WHERE NOT EXISTS (
    SELECT FROM (
        (SELECT b.forecast_gco2_kwh, b.actual_gco2_kwh, b.intensity_index
         FROM raw.intensity AS b
         WHERE b.period_start = s.period_start AND b.captured_at <= s.captured_at
         ORDER BY b.captured_at DESC LIMIT 1)
        UNION ALL
        (SELECT a.forecast_gco2_kwh, a.actual_gco2_kwh, a.intensity_index
         FROM raw.intensity AS a
         WHERE a.period_start = s.period_start AND a.captured_at > s.captured_at
         ORDER BY a.captured_at LIMIT 1)
    ) AS neighbour
    WHERE (neighbour.forecast_gco2_kwh, neighbour.actual_gco2_kwh, neighbour.intensity_index)
          IS NOT DISTINCT FROM
          (s.forecast_gco2_kwh, s.actual_gco2_kwh, s.intensity_index)
)
ON CONFLICT (period_start, captured_at) DO NOTHING
