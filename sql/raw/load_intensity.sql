-- From the staged answers into the change-log: only what differs from the capture before it, and
-- from the one after it (where another process was faster with a later answer). Half-hours that are
-- new, as all are in a first load, are told by one hash and spared the comparison.
INSERT INTO raw.intensity
    (period_start, captured_at, forecast_gco2_kwh, actual_gco2_kwh, intensity_index)
SELECT s.period_start, s.captured_at, s.forecast_gco2_kwh, s.actual_gco2_kwh, s.intensity_index
FROM staged AS s
WHERE s.period_start NOT IN (
    SELECT known.period_start
    FROM raw.intensity AS known
    WHERE known.period_start >= (SELECT min(period_start) FROM staged)
      AND known.period_start <= (SELECT max(period_start) FROM staged)
)
OR NOT EXISTS (
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
