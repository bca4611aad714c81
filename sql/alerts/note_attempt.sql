-- Notes an attempt to deliver an event, and closes it if every address took it.
UPDATE ops.alert_deliveries
SET attempts = attempts + 1, last_attempt_at = clock_timestamp(), delivered_to = %(delivered_to)s,
    error_type = %(error_type)s, error_message = %(error_message)s,
    status = CASE WHEN %(is_done)s THEN 'delivered' ELSE 'pending' END,
    closed_at = CASE WHEN %(is_done)s THEN clock_timestamp() END
WHERE delivery_id = %(delivery_id)s
