-- One event to deliver, for this transaction alone; no row if another cycle has it, or it is closed.
SELECT d.title, d.body, d.delivered_to, a.url_number
FROM ops.alert_deliveries AS d JOIN ops.alerts AS a ON a.alert_id = d.alert_id AND a.is_on
WHERE d.delivery_id = %(delivery_id)s AND d.status = 'pending'
FOR UPDATE OF d SKIP LOCKED
