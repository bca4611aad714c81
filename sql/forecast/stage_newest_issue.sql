-- The newest issue of our own models as it is stored, to be judged like one that is about to be.
CREATE TEMPORARY TABLE staged ON COMMIT DROP AS
SELECT * FROM forecast.predictions
WHERE model <> 'neso'
  AND issued_at = (SELECT max(issued_at) FROM forecast.predictions WHERE model <> 'neso')
