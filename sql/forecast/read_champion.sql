-- The trees in use, by the newest row that says: revision null for the bundled ones. The digests
-- show whether files that were copied from forecast.weights are still the same.
SELECT t.outcome, t.challenger AS revision, t.decided_at, t.reason,
       encode(sha256(w.trees), 'hex') AS trees, encode(sha256(convert_to(w.card, 'UTF8')), 'hex') AS card
FROM forecast.model_trials AS t
LEFT JOIN forecast.weights AS w ON w.model = t.model AND w.revision = t.challenger
WHERE t.model = %(model)s AND t.outcome IN ('promoted', 'reverted')
ORDER BY t.trial DESC
LIMIT 1
