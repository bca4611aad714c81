-- Past UTC days that have telemetry and no issue of the model.
SELECT DISTINCT (c.period_start AT TIME ZONE 'UTC')::date AS day
FROM core.intensity AS c
WHERE c.period_start >= %(start)s AND c.period_start < %(end)s
  AND NOT EXISTS (
      SELECT FROM forecast.issues AS i
      WHERE i.model = %(model)s
        AND i.issued_at >= date_trunc('day', c.period_start, 'UTC')
        AND i.issued_at < date_trunc('day', c.period_start, 'UTC') + interval '24 hours')
ORDER BY day
