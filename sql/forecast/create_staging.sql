-- Creates the staging tables for the issues and forecasts of one publication, and a view that shows
-- the forecasts one by one to the checks.
{% from "macros.sql" import cells, quantiles %}
CREATE TEMPORARY TABLE asked (LIKE forecast.issues) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_arrays ON COMMIT DROP AS
SELECT model, issued_at, created_at, below, p50, above, raw_p10, raw_p90 FROM forecast.archive
WITH NO DATA;
CREATE TEMPORARY VIEW staged AS
SELECT issue.model, known.series, issue.issued_at + (cell.step - 1) * interval '30 minutes' AS period_start,
       issue.issued_at, issue.created_at, {{ quantiles() }}
FROM staged_arrays AS issue
{{ cells("issue") }}
WHERE cell.p50 IS NOT NULL
