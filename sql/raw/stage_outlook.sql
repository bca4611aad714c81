-- Creates the staging table for captured publications.
CREATE TEMPORARY TABLE staged ON COMMIT DROP AS
SELECT source, series, published_at, captured_at, first_label, minutes, simulated, values_mw
FROM raw.outlook_publications
WITH NO DATA
