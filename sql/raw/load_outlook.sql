-- Adds the staged publications that differ from the capture before them, and from the one after them
-- if they were captured before one that is there already.
INSERT INTO raw.outlook_publications
    (source, series, published_at, captured_at, first_label, minutes, simulated, values_mw)
SELECT s.source, s.series, s.published_at, s.captured_at, s.first_label, s.minutes, s.simulated, s.values_mw
FROM staged AS s
LEFT JOIN LATERAL (
    SELECT p.first_label, p.minutes, p.values_mw
    FROM raw.outlook_publications AS p
    WHERE p.source = s.source AND p.series = s.series AND p.published_at = s.published_at
      AND p.captured_at <= s.captured_at
    ORDER BY p.captured_at DESC LIMIT 1
) AS before ON true
LEFT JOIN LATERAL (
    SELECT p.first_label, p.minutes, p.values_mw
    FROM raw.outlook_publications AS p
    WHERE p.source = s.source AND p.series = s.series AND p.published_at = s.published_at
      AND p.captured_at > s.captured_at
    ORDER BY p.captured_at LIMIT 1
) AS after ON true
WHERE (s.first_label, s.minutes, s.values_mw)
      IS DISTINCT FROM (before.first_label, before.minutes, before.values_mw)
  AND (s.first_label, s.minutes, s.values_mw)
      IS DISTINCT FROM (after.first_label, after.minutes, after.values_mw)
ON CONFLICT DO NOTHING
