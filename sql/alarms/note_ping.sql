-- Notes a ping and what came of it.
UPDATE ops.heartbeat
SET cycle_at = %(cycle_at)s, is_healthy = %(is_healthy)s, tried_at = clock_timestamp(),
    told_at = CASE WHEN %(error_type)s::text IS NULL THEN clock_timestamp() ELSE told_at END,
    error_type = %(error_type)s, error_message = %(error_message)s
