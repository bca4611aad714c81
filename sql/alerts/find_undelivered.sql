-- Events whose message did not reach every address, and why: those to be tried again, and those that
-- were over before, since `since`.
SELECT delivery_id, alert_name, status, attempts, error_message
FROM ops.alert_deliveries
WHERE (status = 'pending' AND attempts > 0 OR status = 'expired' AND closed_at > %(since)s)
  AND error_type IS NOT NULL
ORDER BY delivery_id DESC
LIMIT 10
