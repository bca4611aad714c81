-- Begins an episode.
INSERT INTO ops.alarms (key, severity, what, began_at, times)
VALUES (%(key)s, %(severity)s, %(what)s, %(now)s, %(times)s)
