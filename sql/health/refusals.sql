-- The number of issue times of a window at which no model of ours forecast, and the first reason.
SELECT count(DISTINCT issued_at), (array_agg(refused_reason ORDER BY issued_at))[1]
FROM forecast.issues AS refused
WHERE refused_reason IS NOT NULL AND issued_at >= %(start)s AND issued_at < %(end)s
  AND NOT EXISTS (SELECT FROM forecast.issues AS made
                  WHERE made.issued_at = refused.issued_at AND made.model <> 'neso'
                    AND made.refused_reason IS NULL)
