-- Closes episodes; `recovered` are those whose recovery a message tells.
UPDATE ops.alarms
SET closed_at = %(now)s,
    recovery_told_at = CASE WHEN alarm_id = ANY (%(recovered)s::bigint[]) THEN %(now)s::timestamptz END
WHERE alarm_id = ANY (%(ids)s)
