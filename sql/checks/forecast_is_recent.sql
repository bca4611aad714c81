-- The newest issue, if it is too old for its forecasts to be useful.
{% from "macros.sql" import latest_issue_time %}
SELECT max(issued_at) AS period_start,
       coalesce('newest forecast was issued ' || (%(now)s - max(issued_at)) || ' ago', 'there is no forecast') AS detail,
       1 AS total
FROM forecast.archive
WHERE model <> 'neso' AND issued_at <= {{ latest_issue_time('%(now)s') }}
HAVING (max(issued_at) >= %(now)s - %(too_old)s::interval) IS NOT TRUE
