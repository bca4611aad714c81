-- Models and series whose band from p10 to p90 held less than 0.7 or more than 0.9 of the actuals
-- of the last 14 days. Leaves out series that hardly move (average errors of 0.1 or less), because
-- any band holds all of their actuals.
SELECT NULL::timestamptz AS period_start,
       model || ' ' || series || ': ' || round(100.0 * sum(n_inside_80) / sum(n_band), 1) || ' %% of ' || sum(n_band) AS detail,
       count(*) OVER () AS total
FROM forecast.accuracy
WHERE target_date > (%(now)s AT TIME ZONE 'UTC')::date - 14 AND model LIKE 'chronos:%%'
GROUP BY model, series
HAVING sum(n_band) >= 480 AND sum(abs_error_sum) / sum(n) > 0.1
   AND sum(n_inside_80)::numeric / sum(n_band) NOT BETWEEN 0.7 AND 0.9
ORDER BY model, series
LIMIT 10
