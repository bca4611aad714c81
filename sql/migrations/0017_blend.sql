-- What a blend was made of, at each of its issues; the comments of `model` name all models.

ALTER TABLE forecast.issues ADD COLUMN blend jsonb;
COMMENT ON COLUMN forecast.issues.blend IS 'For model blend: what it was made of. members: models and revisions. left_out: members without a part in this issue, and why. issues: past issues that the weights were learned from, 0 where they are the bundled ones. reached: first and end of the half-hours for which the outlook has wind. weights, biases (gCO2/kWh, forecast less actual): by series, regime (outlook where it reaches, else history), member and lead bucket; what is left out is 0. neso_usual_g: usual distance of NESO''s forecast from our models''. Null for other models.';

COMMENT ON COLUMN forecast.issues.neso_issued_at IS 'Capture of NESO''s forecast that the model was shown, or that is a member of the blend; null where there was none.';
COMMENT ON COLUMN forecast.models.model IS 'Name of the model: blend, chronos:<checkpoint>, gradient_boosting, seasonal_naive or neso.';
COMMENT ON COLUMN forecast.accuracy.model IS 'blend, chronos:<checkpoint>, gradient_boosting, seasonal_naive or neso.';
COMMENT ON COLUMN forecast.archive.model IS 'blend, chronos:<checkpoint>, gradient_boosting, seasonal_naive or neso.';
COMMENT ON COLUMN forecast.latest.model IS 'blend, chronos:<checkpoint>, gradient_boosting, seasonal_naive or neso.';
COMMENT ON COLUMN forecast.predictions.model IS 'blend, chronos:<checkpoint>, gradient_boosting, seasonal_naive or neso.';
