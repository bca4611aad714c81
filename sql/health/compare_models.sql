-- Errors of carbon intensity since an issue time, of each model on the same forecasts: an issue and a
-- half-hour count where every model has forecast that has at least half as many scores as the one
-- with the most. A model with fewer is compared on those of them that it has. Issues are the same
-- where they start at the same half-hour. By model and lead bucket, and with bucket null for all leads;
-- a model without a score has one row, with n 0.
{% from "macros.sql" import cells, quantiles %}
WITH scored AS MATERIALIZED (
    SELECT DISTINCT ON (issue.model, issue.starts_at, cell.step)
           issue.model, issue.starts_at, cell.step, happened.period_start, issue.simulated,
           abs(quantile.p50 - happened.actual) AS abs_error,
           happened.actual BETWEEN quantile.p10 AND quantile.p90 AS inside_80
    FROM forecast.archive AS issue
    {{ cells("issue") }}
    CROSS JOIN LATERAL (SELECT {{ quantiles() }}) AS quantile
    JOIN forecast.happened AS happened
      ON happened.series = known.series
     AND happened.period_start = issue.starts_at + (cell.step - 1) * interval '30 minutes'
    WHERE known.series = '{{ carbon_intensity.name }}' AND issue.starts_at >= %(since)s
      AND cell.p50 IS NOT NULL AND happened.actual IS NOT NULL
    ORDER BY issue.model, issue.starts_at, cell.step, issue.issued_at DESC
), compared AS (
    SELECT model
    FROM (SELECT model, count(*) AS n, max(count(*)) OVER () AS most FROM scored GROUP BY model) AS counted
    WHERE 2 * n >= most
), shared AS MATERIALIZED (
    SELECT starts_at, step
    FROM scored JOIN compared USING (model)
    GROUP BY starts_at, step
    HAVING count(*) = (SELECT count(*) FROM compared)
), summed AS (
    SELECT model, forecast.lead_bucket(period_start - starts_at) AS lead_bucket, count(*) AS n,
           count(DISTINCT starts_at) AS issues, count(DISTINCT period_start) AS half_hours,
           min(starts_at) AS first_issue, max(starts_at) AS last_issue,
           avg(abs_error) AS mae, 100 * avg(inside_80::integer) AS inside_pct
    FROM scored JOIN shared USING (starts_at, step)
    GROUP BY GROUPING SETS ((model, 2), (model))
)
SELECT present.model, lead_bucket, coalesce(n, 0) AS n, issues, half_hours, first_issue, last_issue,
       mae, inside_pct, present.simulated
FROM (SELECT model, bool_or(simulated) AS simulated FROM forecast.archive
      WHERE starts_at >= %(since)s GROUP BY model) AS present
LEFT JOIN summed USING (model)
