-- The queries of dashboards. Each block is run on the views in schema `reporting` and on those in
-- `naive`, which may have its own wording in a block of that name; both must give the same rows.
-- Columns are named if our view may get another one. Daily errors are weighted by their number of
-- forecasts.

-- telemetry_24h
SELECT * FROM {schema}.telemetry_24h

-- generation_mix_24h
SELECT * FROM {schema}.generation_mix_24h

-- actual_vs_predicted_24h
SELECT model, series, unit, issued_at, period_start, lead_minutes, lead_bucket, actual,
       p10, p50, p90, error, abs_error, inside_80, simulated
FROM {schema}.actual_vs_predicted_24h

-- latest_ahead
SELECT issued_at, period_start, p10, p50, p90, lead_minutes, unit
FROM {schema}.forecast_latest
WHERE model = {model} AND series = 'carbon_intensity'
  AND period_start >= now() AND period_start < now() + interval '48 hours'

-- latest_behind
SELECT issued_at, period_start, p10, p50, p90, lead_minutes, unit
FROM {schema}.forecast_latest
WHERE model = {model} AND series = 'carbon_intensity'
  AND period_start >= now() - interval '24 hours' AND period_start < now()

-- day_ahead
SELECT issued_at, period_start, p10, p50, p90, lead_minutes, unit
FROM {schema}.forecast_day_ahead
WHERE model = {model} AND series = 'carbon_intensity'
  AND period_start >= now() - interval '24 hours' AND period_start < now()

-- greenest_window
SELECT period_start, gco2_kwh
FROM {schema}.greenest_window(interval '3 hours', now() + interval '24 hours', model => {model})

-- accuracy_30d
SELECT model, lead_bucket, sum(n) AS n, sum(mae * n) / sum(n) AS mae, sum(bias * n) / sum(n) AS bias
FROM {schema}.forecast_accuracy
WHERE series = 'carbon_intensity' AND target_date >= (now() AT TIME ZONE 'UTC')::date - 30
GROUP BY model, lead_bucket

-- accuracy_365d
SELECT model, lead_bucket, sum(n) AS n, sum(mae * n) / sum(n) AS mae, sum(bias * n) / sum(n) AS bias
FROM {schema}.forecast_accuracy
WHERE series = 'carbon_intensity' AND target_date >= (now() AT TIME ZONE 'UTC')::date - 365
GROUP BY model, lead_bucket

-- naive greenest_window
WITH candidate AS (
    SELECT period_start, p50
    FROM {schema}.forecast_latest
    WHERE model = {model} AND series = 'carbon_intensity'
      AND period_start >= now() AND period_start <= now() + interval '23 hours 30 minutes'
), best AS (
    SELECT one.period_start
    FROM candidate AS one
    JOIN candidate AS other
        ON other.period_start >= one.period_start
       AND other.period_start < one.period_start + interval '3 hours'
    GROUP BY one.period_start
    HAVING count(*) = 6
    ORDER BY sum(other.p50), one.period_start
    LIMIT 1
)
SELECT candidate.period_start, candidate.p50
FROM candidate
JOIN best
    ON candidate.period_start >= best.period_start
   AND candidate.period_start < best.period_start + interval '3 hours'

-- naive accuracy_30d
SELECT model, lead_bucket, count(*) AS n, avg(abs_error) AS mae, avg(error) AS bias
FROM {schema}.actual_vs_predicted
WHERE series = 'carbon_intensity'
  AND (period_start AT TIME ZONE 'UTC')::date >= (now() AT TIME ZONE 'UTC')::date - 30
GROUP BY model, lead_bucket

-- naive accuracy_365d
SELECT model, lead_bucket, count(*) AS n, avg(abs_error) AS mae, avg(error) AS bias
FROM {schema}.actual_vs_predicted
WHERE series = 'carbon_intensity'
  AND (period_start AT TIME ZONE 'UTC')::date >= (now() AT TIME ZONE 'UTC')::date - 365
GROUP BY model, lead_bucket
