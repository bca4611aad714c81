-- Notes what this cycle says of an alert: in the newest row if that says the same, or else in its own.
WITH newest AS (
    SELECT first_at, outcome, reason FROM ops.alert_judgements
    WHERE alert_id = %(alert_id)s ORDER BY first_at DESC LIMIT 1
), repeated AS (
    UPDATE ops.alert_judgements AS kept
    SET last_at = greatest(kept.last_at, %(now)s), times = kept.times + 1
    FROM newest
    WHERE kept.alert_id = %(alert_id)s AND kept.first_at = newest.first_at
      AND kept.outcome = %(outcome)s AND kept.reason IS NOT DISTINCT FROM %(reason)s
    RETURNING kept.first_at
)
INSERT INTO ops.alert_judgements (alert_id, first_at, last_at, outcome, reason)
SELECT %(alert_id)s, %(now)s, %(now)s, %(outcome)s, %(reason)s
WHERE NOT EXISTS (SELECT FROM repeated)
