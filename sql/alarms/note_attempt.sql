-- Notes an attempt to deliver a message, and closes it if every address took it.
UPDATE ops.alarm_messages
SET attempts = attempts + 1, last_attempt_at = clock_timestamp(), delivered_to = %(delivered_to)s,
    error_type = %(error_type)s, error_message = %(error_message)s,
    status = CASE WHEN %(is_done)s THEN 'delivered' ELSE 'pending' END,
    closed_at = CASE WHEN %(is_done)s THEN clock_timestamp() END
WHERE message_id = %(delivery_id)s
