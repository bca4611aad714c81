-- The events to deliver, first those that were tried least, so that one that always fails delays no other.
SELECT delivery_id FROM ops.alert_deliveries WHERE status = 'pending' ORDER BY attempts, delivery_id
