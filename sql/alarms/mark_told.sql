-- A message about these episodes was written.
UPDATE ops.alarms SET told_at = %(now)s WHERE alarm_id = ANY (%(ids)s)
