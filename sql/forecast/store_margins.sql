-- The 960 margins of a model for one day of issue, replacing those of an earlier run.
INSERT INTO forecast.calibration (model, issue_date, revision, issues, margins)
VALUES (%(model)s, %(day)s, %(revision)s, %(issues)s, %(margins)s)
ON CONFLICT (model, issue_date) DO UPDATE SET
    revision = excluded.revision,
    issues = excluded.issues,
    margins = excluded.margins
