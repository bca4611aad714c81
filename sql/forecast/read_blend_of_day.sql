-- The newest record of the blend from a day of issue whose weights were learned from errors.
SELECT blend
FROM forecast.issues
WHERE model = 'blend' AND revision = %(revision)s
  AND issued_at >= %(start)s AND issued_at < %(end)s
  AND blend['issues']::integer > 0
ORDER BY issued_at DESC
LIMIT 1
