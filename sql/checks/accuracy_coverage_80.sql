-- Chronos models and the blend: series whose band from p10 to p90 held less than 0.7 or more than 0.9 of the actuals
-- of the last 14 days. Leaves out what says nothing about a band:
-- an actual of 0 in a band that starts at 0, such as solar at night, which is inside however wide the
-- band is, and series that hardly move (average errors of 0.1 or less).
WITH scored AS (
    SELECT model, series, sum(n_band) AS n, sum(n_inside_80) AS inside
    FROM forecast.accuracy
    WHERE target_date > (%(now)s AT TIME ZONE 'UTC')::date - 14 AND (model LIKE 'chronos:%%' OR model = 'blend')
    GROUP BY model, series
    HAVING sum(n_band) >= 480 AND sum(abs_error_sum) / sum(n) > 0.1
), zero AS (
    SELECT series, period_start
    FROM forecast.happened
    WHERE actual = 0
      AND period_start >= (date_trunc('day', %(now)s AT TIME ZONE 'UTC') - interval '13 days') AT TIME ZONE 'UTC'
), judged AS (
    SELECT s.model, s.series, s.n - certain.n AS n, s.inside - certain.n AS inside
    FROM scored AS s
    CROSS JOIN LATERAL (
        SELECT count(*) AS n
        FROM zero AS z JOIN forecast.predictions AS p USING (series, period_start)
        WHERE p.model = s.model AND p.series = s.series AND p.p10 = 0
          AND p.issued_at > z.period_start - interval '48 hours' AND p.issued_at <= z.period_start
    ) AS certain
)
SELECT NULL::timestamptz AS period_start,
       model || ' ' || series || ': ' || round(100.0 * inside / n, 1) || ' %% of ' || n AS detail,
       count(*) OVER () AS total
FROM judged
WHERE n >= 480 AND inside / n NOT BETWEEN 0.7 AND 0.9
ORDER BY model, series
LIMIT 10
