-- The forecast of each model with the newest issue time up to the next half-hour boundary.
SELECT prediction.model, prediction.issued_at, prediction.series, prediction.period_start,
       prediction.p10, prediction.p50, prediction.p90
FROM forecast.predictions AS prediction
JOIN (
    SELECT model, max(issued_at) AS issued_at
    FROM forecast.issues
    WHERE refused_reason IS NULL AND model <> 'neso'
      AND issued_at < %(now)s + interval '30 minutes'
    GROUP BY model
) AS newest USING (model, issued_at)
ORDER BY prediction.model, prediction.series, prediction.period_start
