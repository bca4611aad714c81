-- Adds a trial, or a return to the bundled trees; returns its number.
INSERT INTO forecast.model_trials (run_id, model, outcome, reason, champion, challenger, half_hours,
                                   learned_to, first_issue_at, last_issue_at, issues)
VALUES (%(run_id)s, %(model)s, %(outcome)s, %(reason)s, %(champion)s, %(challenger)s, %(half_hours)s,
        %(learned_to)s, %(first_issue_at)s, %(last_issue_at)s, %(issues)s)
RETURNING trial
