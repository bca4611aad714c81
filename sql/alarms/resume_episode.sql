-- An episode goes on. What was not told yet is told as it is now; one that seemed over has come back.
UPDATE ops.alarms
SET what = CASE WHEN told_at IS NULL THEN %(what)s ELSE what END,
    severity = %(severity)s,
    times = times + (ended_at IS NOT NULL)::integer, ended_at = NULL
WHERE alarm_id = %(alarm_id)s
