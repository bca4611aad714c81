-- The messages to deliver, oldest first. One that failed is tried again after 1, 2, 4, … 30 minutes.
SELECT message_id FROM ops.alarm_messages
WHERE status = 'pending'
  AND (last_attempt_at IS NULL
       OR clock_timestamp() NOT BETWEEN last_attempt_at
              AND last_attempt_at + interval '1 minute' * least(30, 2 ^ (least(attempts, 10) - 1)))
ORDER BY message_id
