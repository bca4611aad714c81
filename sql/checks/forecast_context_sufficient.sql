-- Issue times of the window at which no model of ours could forecast, mostly because too much
-- telemetry was missing, and why. What only one model lacks is reported by by_configured_model.
SELECT issued_at AS period_start, refused_reason AS detail, count(*) OVER () AS total
FROM (SELECT DISTINCT ON (refused.issued_at) refused.issued_at, refused.refused_reason
      FROM forecast.issues AS refused
      WHERE refused.issued_at >= %(start)s AND refused.issued_at < %(end)s
        AND refused.refused_reason IS NOT NULL
        AND NOT EXISTS (SELECT FROM forecast.issues AS made
                        WHERE made.issued_at = refused.issued_at AND made.model <> 'neso'
                          AND made.refused_reason IS NULL)
      ORDER BY refused.issued_at, refused.created_at DESC) AS without_forecast
ORDER BY issued_at DESC
LIMIT 10
