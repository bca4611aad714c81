-- Chronos models, and the blend, that were worse than seasonal naive at carbon intensity over the
-- last 14 days, by lead bucket. Only days with scores of both are compared.
SELECT NULL::timestamptz AS period_start,
       c.model || ' ' || c.lead_bucket || ': ' || round(sum(c.abs_error_sum) / sum(c.n), 1) || ' against '
           || round(sum(s.abs_error_sum) / sum(s.n), 1) || ' gCO2/kWh' AS detail,
       count(*) OVER () AS total
FROM forecast.accuracy AS c
JOIN forecast.accuracy AS s USING (series, target_date, lead_bucket)
WHERE (c.model LIKE 'chronos:%%' OR c.model = 'blend') AND s.model = 'seasonal_naive' AND c.series = 'carbon_intensity'
  AND c.target_date > (%(now)s AT TIME ZONE 'UTC')::date - 14
GROUP BY c.model, c.lead_bucket
HAVING sum(c.n) >= 48 AND sum(c.abs_error_sum) / sum(c.n) > sum(s.abs_error_sum) / sum(s.n)
ORDER BY c.model, c.lead_bucket
LIMIT 10
