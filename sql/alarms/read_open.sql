-- The episodes that are open.
SELECT alarm_id, key, severity, what, began_at, times, ended_at, told_at
FROM ops.alarms
WHERE closed_at IS NULL
ORDER BY began_at, alarm_id
