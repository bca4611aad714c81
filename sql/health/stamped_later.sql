-- What is stamped later than now by the clock of the database, because some clock was ahead: the
-- relation, how many rows, what they are, and the last stamp.
{% from "macros.sql" import latest_issue_time %}
SELECT relation, rows, what, last
FROM (
    SELECT 'core.intensity', count(*), 'half-hours that have not begun', max(period_start)
    FROM core.intensity WHERE period_start > now()
    UNION ALL
    SELECT 'core.generation_mix', count(*), 'half-hours that have not begun', max(period_start)
    FROM core.generation_mix WHERE period_start > now()
    UNION ALL
    SELECT 'core.intensity', count(*), 'half-hours captured later than now', max(captured_at)
    FROM core.intensity WHERE captured_at > now() + %(tolerance)s::interval
    UNION ALL
    SELECT 'core.generation_mix', count(*), 'half-hours captured later than now', max(captured_at)
    FROM core.generation_mix WHERE captured_at > now() + %(tolerance)s::interval
    UNION ALL
    SELECT 'raw.neso_vintages', count(*), 'forecasts captured later than now', max(issued_at)
    FROM raw.neso_vintages WHERE issued_at > now() + %(tolerance)s::interval
    UNION ALL
    SELECT 'forecast.issues', count(*), 'issues of a time later than now', max(issued_at)
    FROM forecast.issues
    WHERE issued_at > {{ latest_issue_time() }} + %(tolerance)s::interval
    UNION ALL
    SELECT 'ops.etl_runs', count(*), 'attempts started later than now', max(started_at)
    FROM ops.etl_runs WHERE started_at > now() + %(tolerance)s::interval
) AS found (relation, rows, what, last)
WHERE rows > 0
