-- The newest issue that matters to a reader: a forecast by a model, by its fallback, or a refusal.
-- Leaves out NESO's, and the naive one that is stored beside each forecast.
SELECT model, issued_at, refused_reason, fallback_reason
FROM forecast.issues
WHERE model NOT IN ('neso', 'seasonal_naive')
   OR fallback_reason IS NOT NULL
   OR refused_reason IS NOT NULL
ORDER BY issued_at DESC, refused_reason IS NOT NULL
LIMIT 1
