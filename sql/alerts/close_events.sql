-- Closes events that are still to be delivered and are over, no longer hold by a new judgement
-- (`judged` are the alerts that have one, `held` the events that go on), or whose alert was switched
-- off, deleted, or asks something else now.
UPDATE ops.alert_deliveries AS d
SET status = CASE WHEN d.event_end <= %(now)s THEN 'expired' ELSE 'withdrawn' END, closed_at = %(now)s
WHERE d.status = 'pending' AND d.delivery_id <> ALL (%(held)s::bigint[])
  AND (d.event_end <= %(now)s OR d.alert_id = ANY (%(judged)s::integer[])
       OR NOT EXISTS (SELECT FROM ops.alerts AS a
                      WHERE a.alert_id = d.alert_id AND a.is_on AND a.changed_at = d.alert_changed))
