-- Staged forecasts whose quantiles are out of order or incomplete.
SELECT period_start, series || ' p10 ' || coalesce(p10::text, 'null') || ', p50 ' || coalesce(p50::text, 'null')
           || ', p90 ' || coalesce(p90::text, 'null') AS detail,
       count(*) OVER () AS total
FROM staged
WHERE (p10 <= p50 AND p50 <= p90) IS NOT TRUE
ORDER BY period_start
LIMIT 10
