-- The medians of issues at given times by models with given weights, each 10 series by 96 steps in
-- tenths.
SELECT i.model, i.issued_at, p.p50
FROM forecast.issues AS i
JOIN forecast.archive AS p USING (model, issued_at)
WHERE (i.model, i.revision) IN (SELECT * FROM unnest(%(models)s::text[], %(revisions)s::text[]))
  AND i.issued_at = ANY (%(times)s::timestamptz[])
  AND p.starts_at = i.issued_at AND p.part = 0
  AND array_length(p.p50, 1) = %(series)s AND array_length(p.p50, 2) = %(steps)s
