-- One message to deliver, for this transaction alone; no row if another sender has it, or it is closed.
-- The last column would be the place of the only address to use, as for alerts; alarms go to all.
SELECT title, body, delivered_to, NULL::smallint
FROM ops.alarm_messages
WHERE message_id = %(delivery_id)s AND status = 'pending'
FOR UPDATE SKIP LOCKED
