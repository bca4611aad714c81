-- What was last said of each alert that is on; nulls for one that was never judged.
SELECT a.alert_id, a.name, j.outcome, j.reason, j.first_at, j.last_at
FROM ops.alerts AS a
LEFT JOIN LATERAL (SELECT * FROM ops.alert_judgements AS n WHERE n.alert_id = a.alert_id
                   ORDER BY n.first_at DESC LIMIT 1) AS j ON true
WHERE a.is_on
ORDER BY a.alert_id
