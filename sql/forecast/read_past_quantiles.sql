-- Raw quantiles of the past issues of a model that calibration uses, each 10 series by 96 steps: the
-- first issue in every three hours, so that half-hourly and back-tested days weigh the same.
SELECT DISTINCT ON (date_bin(%(stride)s::interval, issued_at, %(end)s))
       issued_at, p.raw_p10, p.raw_p90
FROM forecast.issues AS i
JOIN forecast.archive AS p USING (model, issued_at)
WHERE i.model = %(model)s AND i.revision = %(revision)s
  AND i.issued_at >= %(start)s AND i.issued_at < %(end)s AND i.refused_reason IS NULL
  AND p.starts_at = i.issued_at AND p.part = 0
  AND p.raw_p10 IS NOT NULL AND array_length(p.raw_p10, 2) = %(steps)s
ORDER BY date_bin(%(stride)s::interval, issued_at, %(end)s), issued_at
