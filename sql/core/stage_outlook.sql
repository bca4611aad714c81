-- Creates the staging table for publications in true half-hours. It has no constraints, so that a
-- named check reports a broken rule.
CREATE TEMPORARY TABLE staged ON COMMIT DROP AS
SELECT series, source, published_at, captured_at, known_from, starts_at, suspect, simulated, value_mw, reason
FROM core.outlook
WITH NO DATA
