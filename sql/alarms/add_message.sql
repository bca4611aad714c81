-- Adds a message to be delivered.
INSERT INTO ops.alarm_messages (written_at, title, body) VALUES (%(now)s, %(title)s, %(body)s)
