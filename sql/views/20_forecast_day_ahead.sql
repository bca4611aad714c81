-- The newest forecast issued at least 24 hours before its half-hour: what a plan for tomorrow could
-- have used. One look-up in the archive for each half-hour that has been forecast.
{% from "macros.sql" import cell, inherit_comments, latest_issue_time, lead_minutes, london_time, quantiles %}
CREATE VIEW reporting.forecast_day_ahead AS
SELECT target.model, newest.issued_at, newest.created_at, target.series, target.period_start,
       newest.p10, newest.p50, newest.p90,
       {{ lead_minutes("target.period_start", "newest.issued_at") }} AS lead_minutes,
       target.unit, newest.simulated,
       {{ london_time("target.period_start") }}
FROM forecast.latest AS target
JOIN forecast.series AS known USING (series)
CROSS JOIN LATERAL (
    SELECT issue.issued_at, issue.created_at, {{ quantiles() }}, issue.simulated
    FROM (
        -- the keys alone, newest first: the arrays of the first are read, rarely of another one
        (SELECT k.model, k.starts_at, k.issued_at, k.part
         FROM forecast.archive AS k
         WHERE k.model = target.model
           AND k.starts_at > target.period_start - interval '48 hours'
           AND k.starts_at <= target.period_start - interval '24 hours'
           AND k.issued_at > k.starts_at - interval '30 minutes'
           AND k.issued_at <= {{ latest_issue_time() }}
         ORDER BY k.starts_at DESC, k.issued_at DESC)
        UNION ALL
        -- or one of another program that is longer than 48 hours
        (SELECT k.model, k.starts_at, k.issued_at, k.part
         FROM forecast.archive AS k
         WHERE k.model = target.model
           AND k.starts_at > target.period_start - interval '48 hours'
           AND k.starts_at <= target.period_start
           AND k.issued_at <= target.period_start - interval '48 hours'
         ORDER BY k.issued_at DESC)) AS key
    CROSS JOIN LATERAL (
        SELECT a.issued_at, a.created_at, a.simulated, a.starts_at, a.below, a.p50, a.above
        FROM forecast.archive AS a
        WHERE (a.model, a.starts_at, a.issued_at, a.part)
            = (key.model, key.starts_at, key.issued_at, key.part)
        OFFSET 0) AS issue
    {{ cell("issue", "target.period_start", "known.ordinal") }}
    WHERE cell.p50 IS NOT NULL
    LIMIT 1
) AS newest;

COMMENT ON VIEW reporting.forecast_day_ahead IS 'The newest forecast of each series and half-hour issued at least 24 hours before it, for each model.';
COMMENT ON COLUMN reporting.forecast_day_ahead.lead_minutes IS 'Minutes from issue to the start of the half-hour; 1440 or more.';
{{ inherit_comments("reporting.forecast_day_ahead", "reporting.forecast_latest") }}
