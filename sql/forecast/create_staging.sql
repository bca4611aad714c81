-- Creates the staging tables for the issues and predictions of one publication.
CREATE TEMPORARY TABLE asked (LIKE forecast.issues) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged (LIKE forecast.predictions INCLUDING DEFAULTS) ON COMMIT DROP
