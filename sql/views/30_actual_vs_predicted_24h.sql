-- The last 24 hours: for each half-hour, series and model the last forecast issued before it began,
-- beside the actual. No forecast is issued after its half-hour began, so that is the newest one.
{% from "macros.sql" import inherit_comments, london_time %}
CREATE VIEW reporting.actual_vs_predicted_24h AS
WITH half_hour AS MATERIALIZED (  -- London time once for each, not for each series and model
    SELECT at AS period_start,
           {{ london_time("at") }}
    FROM generate_series(date_bin('30 minutes', now() - interval '24 hours', 'epoch'), now(),
                         interval '30 minutes') AS at
), happened AS MATERIALIZED (  -- unordered, so that both of its columns take part in the join
    SELECT period_start, series, actual, period_start_london, settlement_date, settlement_period
    FROM forecast.happened
    LEFT JOIN half_hour USING (period_start)  -- there is one for each
    WHERE period_start >= now() - interval '24 hours' AND period_start <= now()
      AND actual IS NOT NULL
)
SELECT newest.model, newest.series, newest.unit, newest.issued_at, newest.period_start,
       newest.lead_minutes,
       forecast.lead_bucket(newest.period_start - newest.issued_at) AS lead_bucket,
       happened.actual, newest.p10, newest.p50, newest.p90,
       newest.p50 - happened.actual AS error,
       abs(newest.p50 - happened.actual) AS abs_error,
       happened.actual BETWEEN newest.p10 AND newest.p90 AS inside_80,
       newest.simulated, happened.period_start_london, happened.settlement_date, happened.settlement_period
FROM happened
JOIN reporting.forecast_latest AS newest
  ON newest.period_start = happened.period_start AND newest.series = happened.series
 -- redundant, but it lets the index return one day instead of all days
 AND newest.period_start >= now() - interval '24 hours' AND newest.period_start <= now();

COMMENT ON VIEW reporting.actual_vs_predicted_24h IS 'The last 24 hours: for each half-hour, series and model, the last forecast issued before it began beside the actual value.';
{{ inherit_comments("reporting.actual_vs_predicted_24h", "reporting.actual_vs_predicted") }}
