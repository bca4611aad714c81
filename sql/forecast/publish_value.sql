-- Publishes what a decision by each forecast was worth, for the issues whose first half-hour lies in
-- the days from `first` to `last`: a use of three hours that must end within 12 or 24 hours begins at
-- once, or in the window with the lowest sum of medians, the earliest of several. Both are judged by
-- the actuals. An issue is a case where the whole wait is forecast and has actuals; a hole in either
-- leaves it out. forecasting/decisions.py computes the same for files. Unchanged rows are not
-- rewritten.
{% set waits = (12, 24) %}
WITH half_hour AS (
    SELECT at, i.actual_gco2_kwh AS actual
    FROM generate_series(%(first)s::date::timestamp AT TIME ZONE 'UTC',
                         (%(last)s::date + 2)::timestamp AT TIME ZONE 'UTC', interval '30 minutes') AS at
    LEFT JOIN core.intensity AS i
           ON i.period_start = at
          -- says nothing new, but bounds what is read
          AND i.period_start >= %(first)s::date::timestamp AT TIME ZONE 'UTC'
          AND i.period_start < (%(last)s::date + 2)::timestamp AT TIME ZONE 'UTC'
), happened AS MATERIALIZED (  -- by first half-hour of the use; null where an actual is missing
    SELECT at AS begins_at, CASE WHEN count(actual) OVER use = 6 THEN sum(actual) OVER use END AS actual
    FROM half_hour
    WINDOW use AS (ORDER BY at ROWS BETWEEN CURRENT ROW AND 5 FOLLOWING)
), predicted AS (  -- an issue that another program wrote in several steps has several rows
    SELECT issue.model, issue.issued_at, issue.starts_at, cell.step, max(cell.p50) AS p50,
           bool_or(issue.simulated) AS simulated
    FROM forecast.archive AS issue
    CROSS JOIN LATERAL unnest(issue.p50[1:1][1:48]) WITH ORDINALITY AS cell (p50, step)
    WHERE issue.starts_on BETWEEN %(first)s AND %(last)s
      AND issue.issued_at > issue.starts_at - interval '30 minutes'
    GROUP BY issue.model, issue.issued_at, issue.starts_at, cell.step
), choice AS (
    SELECT model, issued_at, starts_at, step, simulated,
           starts_at + (step - 1) * interval '30 minutes' AS begins_at,
           CASE WHEN count(p50) OVER use = 6 THEN sum(p50) OVER use END AS p50
    FROM predicted
    WINDOW use AS (PARTITION BY model, issued_at, starts_at ORDER BY step
                   ROWS BETWEEN CURRENT ROW AND 5 FOLLOWING)
), issue AS (  -- for each wait the places of its windows: the lowest forecast and its place in one number
    SELECT model, issued_at, starts_at, bool_or(simulated) AS simulated,
           max(actual) FILTER (WHERE step = 1) AS at_once
           {% for hours in waits %}
           , count(p50) FILTER (WHERE step <= {{ 2 * hours - 5 }}) AS predicted_{{ hours }},
           count(actual) FILTER (WHERE step <= {{ 2 * hours - 5 }}) AS happened_{{ hours }},
           min(100 * p50 + step) FILTER (WHERE step <= {{ 2 * hours - 5 }}) AS lowest_{{ hours }},
           min(actual) FILTER (WHERE step <= {{ 2 * hours - 5 }}) AS best_{{ hours }}
           {% endfor %}
    FROM choice JOIN happened USING (begins_at)
    GROUP BY model, issued_at, starts_at
), decision AS (  -- sums over the six half-hours of the use
    SELECT issue.model, (issue.starts_at AT TIME ZONE 'UTC')::date AS target_date, wait.hours,
           issue.simulated, issue.at_once, happened.actual AS chosen, wait.best
    FROM issue
    CROSS JOIN LATERAL (VALUES
        {% for hours in waits %}
        ({{ hours }}, predicted_{{ hours }}, happened_{{ hours }}, lowest_{{ hours }}, best_{{ hours }}){{ "," if not loop.last }}
        {% endfor %}
    ) AS wait (hours, predicted, happened, lowest, best)
    JOIN happened ON happened.begins_at = issue.starts_at + (mod(wait.lowest, 100) - 1) * interval '30 minutes'
    WHERE wait.predicted = 2 * wait.hours - 5 AND wait.happened = 2 * wait.hours - 5
), worth AS MATERIALIZED (
    SELECT model, target_date, hours AS wait_hours, count(*) AS n, sum(at_once - chosen) AS saved_sum,
           sum(at_once - best) AS best_sum, count(*) FILTER (WHERE chosen > at_once) AS n_worse,
           bool_or(simulated) AS simulated
    FROM decision
    GROUP BY model, target_date, hours
)
INSERT INTO forecast.value AS published
    (model, target_date, wait_hours, n, saved_sum, best_sum, n_worse, simulated)
SELECT model, target_date, wait_hours, n, saved_sum, best_sum, n_worse, simulated
FROM worth
UNION ALL
SELECT model, target_date, wait_hours, 0, 0, 0, 0, simulated
FROM forecast.value AS gone
WHERE target_date BETWEEN %(first)s AND %(last)s
  AND NOT EXISTS (SELECT FROM worth
                  WHERE (worth.model, worth.target_date, worth.wait_hours)
                      = (gone.model, gone.target_date, gone.wait_hours))
ON CONFLICT (model, target_date, wait_hours) DO UPDATE SET
    n = excluded.n,
    saved_sum = excluded.saved_sum,
    best_sum = excluded.best_sum,
    n_worse = excluded.n_worse,
    simulated = excluded.simulated
WHERE (published.n, published.saved_sum, published.best_sum, published.n_worse, published.simulated)
      IS DISTINCT FROM
      (excluded.n, excluded.saved_sum, excluded.best_sum, excluded.n_worse, excluded.simulated)
