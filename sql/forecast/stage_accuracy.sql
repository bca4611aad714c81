-- Stages the scores of every forecast whose half-hour lies in the window and has an actual: the
-- errors of reporting.actual_vs_predicted, summed. The actuals of the window are put into an array
-- for each series, so that the part of a forecast that lies in the window runs along beside them.
CREATE TEMPORARY TABLE staged ON COMMIT DROP AS
WITH actuals AS MATERIALIZED (
    SELECT known.series, known.ordinal, array_agg(h.actual ORDER BY half_hour.at) AS line
    FROM generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '30 minutes',
                         interval '30 minutes') AS half_hour (at)
    CROSS JOIN forecast.series AS known
    LEFT JOIN forecast.happened AS h
           ON h.period_start = half_hour.at AND h.series = known.series
          -- says nothing new, but bounds what is read
          AND h.period_start >= %(start)s AND h.period_start < %(end)s
    GROUP BY known.series, known.ordinal
), forecasts AS MATERIALIZED (  -- each quantile is used several times
    SELECT issue.model, issue.simulated, actuals.series,
           issue.starts_at + (span.first + cell.place - 2) * interval '30 minutes' AS period_start,
           issue.issued_at, cell.actual, 0.1 * (cell.p50 - cell.below) AS p10, 0.1 * cell.p50 AS p50,
           0.1 * (cell.p50 + cell.above) AS p90
    FROM forecast.archive AS issue
    CROSS JOIN actuals
    CROSS JOIN LATERAL (SELECT
        (extract(epoch FROM issue.starts_at - %(start)s) / 1800)::integer,
        (extract(epoch FROM issue.starts_at - %(end)s) / 1800)::integer) AS off (from_start, from_end)
    CROSS JOIN LATERAL (SELECT
        greatest(1, 1 - off.from_start), least(96, -off.from_end)) AS span (first, last)
    CROSS JOIN LATERAL unnest(
        issue.below[actuals.ordinal:actuals.ordinal][span.first:span.last],
        issue.p50[actuals.ordinal:actuals.ordinal][span.first:span.last],
        issue.above[actuals.ordinal:actuals.ordinal][span.first:span.last],
        actuals.line[off.from_start + span.first:off.from_start + span.last]
    ) WITH ORDINALITY AS cell (below, p50, above, actual, place)
    WHERE issue.starts_at > %(start)s - interval '48 hours' AND issue.starts_at < %(end)s
      -- says nothing new, but lets an index return these days
      AND issue.starts_on >= (%(start)s AT TIME ZONE 'UTC')::date - 2
      AND issue.starts_on <= (%(end)s AT TIME ZONE 'UTC')::date
      AND cell.p50 IS NOT NULL AND cell.actual IS NOT NULL
)
SELECT p.model, p.series, (p.period_start AT TIME ZONE 'UTC')::date AS target_date,
       forecast.lead_bucket(p.period_start - p.issued_at) AS lead_bucket,
       count(*) AS n,
       sum(abs(p.p50 - p.actual)) AS abs_error_sum,
       sum(p.p50 - p.actual) AS error_sum,
       sum(abs(p.actual)) AS abs_actual_sum,
       count(p.p10) AS n_band,
       -- pinball loss at level q: q (actual - forecast) above the forecast, (1 - q) below it
       sum((greatest(0.1 * (p.actual - p.p10), 0.9 * (p.p10 - p.actual)) + 0.5 * abs(p.p50 - p.actual)
            + greatest(0.9 * (p.actual - p.p90), 0.1 * (p.p90 - p.actual))) / 3) AS pinball_sum,
       count(*) FILTER (WHERE p.actual BETWEEN p.p10 AND p.p90) AS n_inside_80,
       bool_or(p.simulated) AS simulated
FROM forecasts AS p
GROUP BY p.model, p.series, target_date, lead_bucket
