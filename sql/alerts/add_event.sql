-- Adds an event whose message is to be delivered.
INSERT INTO ops.alert_deliveries (alert_id, alert_name, alert_changed, event_start, event_end,
                                  found_at, title, body)
VALUES (%(alert_id)s, %(name)s, %(changed_at)s, %(event_start)s, %(event_end)s, %(now)s, %(title)s,
        %(body)s)
RETURNING delivery_id
