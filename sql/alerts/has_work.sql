-- Whether there is an alert to judge, or an event that may have to be withdrawn.
SELECT EXISTS (SELECT FROM ops.alerts WHERE is_on)
    OR EXISTS (SELECT FROM ops.alert_deliveries WHERE status = 'pending')
