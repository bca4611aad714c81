-- Staged issues that do not have 96 half-hours of each of the ten series, from the issue time on.
SELECT issued_at AS period_start,
       model || ': ' || count(*) || ' of 960 values, from ' || min(period_start) || ' to ' || max(period_start) AS detail,
       count(*) OVER () AS total
FROM staged
GROUP BY model, issued_at
HAVING count(*) <> 960 OR count(DISTINCT (series, period_start)) <> 960
    OR min(period_start) <> issued_at OR max(period_start) <> issued_at + interval '47 hours 30 minutes'
ORDER BY issued_at
LIMIT 10
