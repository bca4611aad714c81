-- Stages the newest stored issue of our own models, so that the checks can judge it again.
{% from "macros.sql" import latest_issue_time %}
CREATE TEMPORARY TABLE staged ON COMMIT DROP AS
SELECT * FROM forecast.predictions
WHERE model <> 'neso'
  AND issued_at = (SELECT max(issued_at) FROM forecast.archive
                   WHERE model <> 'neso' AND issued_at <= {{ latest_issue_time() }})
