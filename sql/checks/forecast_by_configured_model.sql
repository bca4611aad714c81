-- Issues of the window that another model made because the configured one could not, and those at
-- which the trees could not be used.
SELECT issued_at AS period_start, model || ': ' || coalesce(fallback_reason, refused_reason) AS detail,
       count(*) OVER () AS total
FROM forecast.issues
WHERE issued_at >= %(start)s AND issued_at < %(end)s
  AND (fallback_reason IS NOT NULL
       OR (model = 'gradient_boosting' AND revision = 'not loaded' AND refused_reason IS NOT NULL))
-- of one issue time, what the configured model lacks first
ORDER BY issued_at DESC, model = 'gradient_boosting'
LIMIT 10
