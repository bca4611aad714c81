-- The newest issue that a reader asks about: a forecast by a model, its fallback, or a refusal. Not
-- NESO's, and not the naive one that is stored beside each forecast.
SELECT model, issued_at, refused_reason, fallback_reason
FROM forecast.issues
WHERE model NOT IN ('neso', 'seasonal_naive')
   OR fallback_reason IS NOT NULL
   OR refused_reason IS NOT NULL
ORDER BY issued_at DESC, refused_reason IS NOT NULL
LIMIT 1
