-- Creates the staging table for the scores of the regions.
CREATE TEMPORARY TABLE staged_scores (LIKE forecast.regional_accuracy)
