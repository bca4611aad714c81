-- The newest decision since `since` by which other trees are in use now.
SELECT outcome, model, champion, challenger, reason
FROM forecast.model_trials
WHERE outcome IN ('promoted', 'reverted') AND decided_at > %(since)s
ORDER BY decided_at DESC
LIMIT 1
