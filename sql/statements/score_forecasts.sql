-- Scores of every forecast whose half-hour lies in the window and has an actual.
CREATE TEMPORARY TABLE staged ON COMMIT DROP AS
SELECT model, series, (period_start AT TIME ZONE 'UTC')::date AS target_date, lead_bucket,
       count(*) AS n,
       sum(abs_error) AS abs_error_sum,
       sum(error) AS error_sum,
       sum(abs(actual)) AS abs_actual_sum,
       count(p10) AS n_band,
       -- pinball loss at level q: q (actual - forecast) above the forecast, (1 - q) below it
       sum((greatest(0.1 * (actual - p10), 0.9 * (p10 - actual)) + 0.5 * abs_error
            + greatest(0.9 * (actual - p90), 0.1 * (p90 - actual))) / 3) AS pinball_sum,
       count(*) FILTER (WHERE inside_80) AS n_inside_80,
       bool_or(simulated) AS simulated
FROM reporting.actual_vs_predicted
WHERE period_start >= %(start)s AND period_start < %(end)s
  -- names every model and series, so that the primary key is used
  AND model = ANY(%(models)s) AND series = ANY(%(series)s)
GROUP BY model, series, target_date, lead_bucket
