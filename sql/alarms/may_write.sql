-- How many messages were written since `since`, but not those that a clock that was ahead has stamped
-- later than now; and whether one still waits that no address has taken.
SELECT count(*) FILTER (WHERE written_at > %(since)s AND written_at <= clock_timestamp()),
       coalesce(bool_or(status = 'pending' AND delivered_to = '{}'), false)
FROM ops.alarm_messages
WHERE written_at > %(since)s OR status = 'pending'
