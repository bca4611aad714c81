-- Issue times of the window at which too much telemetry was missing for a forecast, and why.
SELECT issued_at AS period_start, refused_reason AS detail, count(*) OVER () AS total
FROM forecast.issues AS refused
WHERE issued_at >= %(start)s AND issued_at < %(end)s AND refused_reason IS NOT NULL
  -- if another model forecast instead, by_configured_model reports it
  AND NOT EXISTS (SELECT FROM forecast.issues AS instead
                  WHERE instead.issued_at = refused.issued_at AND instead.fallback_reason IS NOT NULL)
ORDER BY issued_at DESC
LIMIT 10
