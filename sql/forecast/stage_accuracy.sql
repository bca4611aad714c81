-- Stages the scores of every forecast whose half-hour lies in the window and has an actual: the
-- errors of reporting.actual_vs_predicted, summed. It does not read that view, which would search
-- all of history for the actuals: a filter on the time of the forecasts does not reach them there.
CREATE TEMPORARY TABLE staged ON COMMIT DROP AS
WITH happened AS MATERIALIZED (
    SELECT period_start, series, actual
    FROM forecast.happened
    WHERE period_start >= %(start)s AND period_start < %(end)s AND actual IS NOT NULL
)
SELECT p.model, p.series, (p.period_start AT TIME ZONE 'UTC')::date AS target_date,
       forecast.lead_bucket(p.period_start - p.issued_at) AS lead_bucket,
       count(*) AS n,
       sum(abs(p.p50 - h.actual)) AS abs_error_sum,
       sum(p.p50 - h.actual) AS error_sum,
       sum(abs(h.actual)) AS abs_actual_sum,
       count(p.p10) AS n_band,
       -- pinball loss at level q: q (actual - forecast) above the forecast, (1 - q) below it
       sum((greatest(0.1 * (h.actual - p.p10), 0.9 * (p.p10 - h.actual)) + 0.5 * abs(p.p50 - h.actual)
            + greatest(0.9 * (h.actual - p.p90), 0.1 * (p.p90 - h.actual))) / 3) AS pinball_sum,
       count(*) FILTER (WHERE h.actual BETWEEN p.p10 AND p.p90) AS n_inside_80,
       bool_or(p.simulated) AS simulated
FROM forecast.predictions AS p
JOIN happened AS h USING (period_start, series)
WHERE p.period_start >= %(start)s AND p.period_start < %(end)s
  -- names every model and series, so that the primary key is used
  AND p.model = ANY(%(models)s) AND p.series = ANY(%(series)s)
GROUP BY p.model, p.series, target_date, lead_bucket
