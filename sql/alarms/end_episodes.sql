-- The conditions of these episodes no longer hold.
UPDATE ops.alarms SET ended_at = %(now)s WHERE alarm_id = ANY (%(ids)s) AND ended_at IS NULL
