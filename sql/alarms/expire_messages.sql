-- Gives up messages that at least one address has taken and another has not, written before `before`.
UPDATE ops.alarm_messages SET status = 'expired', closed_at = clock_timestamp()
WHERE status = 'pending' AND delivered_to <> '{}' AND written_at < %(before)s
