-- Issue times at which a model made a complete forecast, from telemetry of both sources up to an
-- instant or later.
SELECT i.issued_at
FROM forecast.issues AS i
JOIN forecast.archive AS a USING (model, issued_at)
WHERE i.model = %(model)s AND i.issued_at >= %(start)s AND i.issued_at < %(end)s
  AND i.fallback_reason IS NULL AND i.refused_reason IS NULL
  AND i.intensity_to >= %(used)s AND i.mix_to >= %(used)s
  AND (SELECT count(p50) FROM unnest(a.p50) AS cell (p50)) = %(rows)s
