-- Keeps the raw quantiles only in the issues that recalibration reads: the first forecast with the
-- same weights in every three hours.
UPDATE staged_arrays AS s
SET raw_p10 = NULL, raw_p90 = NULL
FROM asked AS a
WHERE (a.model, a.issued_at) = (s.model, s.issued_at)
  AND EXISTS (
      SELECT FROM (
          SELECT i.model, i.revision, i.issued_at
          FROM forecast.issues AS i
          JOIN forecast.archive AS stored USING (model, issued_at)
          WHERE stored.raw_p10 IS NOT NULL
            AND i.model = s.model AND i.issued_at >= s.issued_at - %(stride)s::interval
          UNION ALL
          SELECT model, revision, issued_at FROM asked WHERE refused_reason IS NULL) AS earlier
      WHERE earlier.model = s.model AND earlier.revision = a.revision
        AND earlier.issued_at < s.issued_at
        AND earlier.issued_at >= date_bin(%(stride)s, s.issued_at, %(origin)s))
