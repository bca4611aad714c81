-- Stages the newest stored issue of our own models, so that the checks can judge it again.
CREATE TEMPORARY TABLE staged ON COMMIT DROP AS
SELECT * FROM forecast.predictions
WHERE model <> 'neso'
  AND issued_at = (SELECT max(issued_at) FROM forecast.archive WHERE model <> 'neso')
