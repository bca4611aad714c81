-- Raw quantiles of the past issues of a model that calibration uses, one row per issue and series:
-- the first issue in every three hours, so that half-hourly and back-tested days weigh the same.
WITH chosen AS (
    SELECT min(issued_at) AS issued_at
    FROM forecast.issues
    WHERE model = %(model)s AND revision = %(revision)s AND issued_at >= %(start)s AND issued_at < %(end)s
      AND refused_reason IS NULL
    GROUP BY date_bin(%(stride)s::interval, issued_at, %(end)s)
)
SELECT p.issued_at, p.series, array_agg(p.raw_p10 ORDER BY p.period_start),
       array_agg(p.raw_p90 ORDER BY p.period_start)
FROM forecast.predictions AS p JOIN chosen USING (issued_at)
WHERE p.model = %(model)s AND p.raw_p10 IS NOT NULL
GROUP BY p.issued_at, p.series
HAVING count(*) = %(steps)s
