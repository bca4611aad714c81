-- The newest issue that matters to a reader: a forecast by a model, by its fallback, or a refusal.
-- Leaves out NESO's, and those that are stored beside each forecast unless they have a warning.
-- members: what the blend of then was made of, null if there was none.
{% from "macros.sql" import latest_issue_time %}
SELECT model, issued_at, refused_reason, fallback_reason, context_recomputed,
       (SELECT made.blend -> 'members' FROM forecast.issues AS made
        WHERE made.model = 'blend' AND made.issued_at = issue.issued_at
          AND made.refused_reason IS NULL) AS members
FROM forecast.issues AS issue
WHERE (model NOT IN ('neso', 'seasonal_naive', 'gradient_boosting', 'blend')
       OR fallback_reason IS NOT NULL
       OR refused_reason IS NOT NULL)
  -- a later one was made by a clock that was ahead
  AND issued_at <= {{ latest_issue_time() }}
-- A refusal counts only where nothing else did forecast, and a stand-in for promoted trees after one
-- for the configured model. After a change of the model there are two at that time: the later one
-- is by the present model.
ORDER BY issued_at DESC, refused_reason IS NOT NULL, model = 'gradient_boosting', created_at DESC
LIMIT 1
