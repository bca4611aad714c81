-- The newest issue, if it is too old for its forecasts to be useful.
SELECT max(issued_at) AS period_start,
       coalesce('newest forecast was issued ' || (%(now)s - max(issued_at)) || ' ago', 'there is no forecast') AS detail,
       1 AS total
FROM forecast.archive
WHERE model <> 'neso' AND issued_at <= %(now)s + interval '30 minutes'
HAVING (max(issued_at) >= %(now)s - %(too_old)s::interval) IS NOT TRUE
