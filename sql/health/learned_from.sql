-- Models with issues in a window whose training data ends later than the first of these, in this
-- warehouse's time: trees that a trial grew here are dated by it, all others by true time.
SELECT m.model, max(known.trained_to)
FROM forecast.models AS m
JOIN forecast.issues AS i USING (model, revision)
CROSS JOIN LATERAL (
    SELECT CASE m.source WHEN %(grown_here)s THEN m.trained_to
                         ELSE m.trained_to + %(shift)s::interval END AS trained_to
) AS known
WHERE i.issued_at >= %(start)s AND i.issued_at < %(end)s AND i.refused_reason IS NULL
  AND known.trained_to > i.issued_at
GROUP BY m.model
ORDER BY m.model
