-- Models with issues in a window whose training data ends later than the first of these, by true time.
SELECT m.model, max(m.trained_to + %(shift)s::interval)
FROM forecast.models AS m
JOIN forecast.issues AS i USING (model, revision)
WHERE i.issued_at >= %(start)s AND i.issued_at < %(end)s AND i.refused_reason IS NULL
  AND m.trained_to + %(shift)s::interval > i.issued_at
GROUP BY m.model
ORDER BY m.model
