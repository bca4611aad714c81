-- Creates the staging table for generation by fuel. It has no constraints, so that a named check
-- reports a broken rule.
CREATE TEMPORARY TABLE staged ON COMMIT DROP AS
SELECT * FROM core.generation_mw
WITH NO DATA
