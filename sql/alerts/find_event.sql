-- The event of an alert that a stretch, window or silence belongs to: one that overlaps it, or ends or
-- begins up to `quiet` away. Events of an earlier question do not count, nor those that nobody heard of.
SELECT delivery_id, status
FROM ops.alert_deliveries
WHERE alert_id = %(alert_id)s AND alert_changed = %(changed_at)s
  AND (status IN ('pending', 'delivered') OR delivered_to <> '{}')
  AND event_start - %(quiet)s <= %(event_end)s AND event_end + %(quiet)s >= %(event_start)s
ORDER BY event_end DESC, delivery_id DESC LIMIT 1
