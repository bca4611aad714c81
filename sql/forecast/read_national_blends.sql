-- The medians of carbon intensity of the national blend, as issued at given times, in tenths. A
-- back-test, which was made later, was not known then.
SELECT issued_at, p50[1:1]
FROM forecast.archive
WHERE model = 'blend' AND issued_at = ANY (%(times)s::timestamptz[]) AND starts_at = issued_at AND part = 0
  AND created_at <= issued_at
