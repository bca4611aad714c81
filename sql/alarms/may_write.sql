-- How many messages were written since `since`, and whether one still waits that no address has taken.
SELECT count(*) FILTER (WHERE written_at > %(since)s),
       coalesce(bool_or(status = 'pending' AND delivered_to = '{}'), false)
FROM ops.alarm_messages
WHERE written_at > %(since)s OR status = 'pending'
