-- The past issues of the blend that it learns from, the first one in every three hours: when each
-- was issued, the capture of NESO's forecast that was a member, and what the outlook reached.
SELECT DISTINCT ON (date_bin(%(stride)s::interval, issued_at, %(end)s))
       issued_at, neso_issued_at, blend['reached']
FROM forecast.issues
WHERE model = 'blend' AND issued_at >= %(start)s AND issued_at < %(end)s
  AND refused_reason IS NULL AND blend IS NOT NULL
ORDER BY date_bin(%(stride)s::interval, issued_at, %(end)s), issued_at
