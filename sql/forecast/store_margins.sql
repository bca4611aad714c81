-- The 960 margins of a model for one day of issue, replacing those of an earlier run.
INSERT INTO forecast.calibration (model, revision, issue_date, series, step, margin, issues)
SELECT %(model)s, %(revision)s, %(day)s, cell.series, cell.step, cell.margin, %(issues)s
FROM unnest(%(series)s::text[], %(steps)s::integer[], %(margins)s::real[]) AS cell (series, step, margin)
ON CONFLICT (model, issue_date, series, step) DO UPDATE SET
    revision = excluded.revision,
    margin = excluded.margin,
    issues = excluded.issues
