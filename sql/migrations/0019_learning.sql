-- Trees that are grown from what this warehouse has seen, and how they did against those in use.

-- forecast.model_trials: one row is one trial of new trees (the challenger) against those in use (the
-- champion), or a return to the bundled ones. Unique: trial. Rows are only added, under the lock of
-- this table. The newest row that is promoted or reverted says which trees forecast.
CREATE TABLE forecast.model_trials (
    trial          bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    decided_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    run_id         text,
    model          text        NOT NULL,
    outcome        text        NOT NULL,
    reason         text        NOT NULL,
    champion       text        NOT NULL,
    challenger     text,
    half_hours     integer     NOT NULL,
    learned_to     timestamptz,
    first_issue_at timestamptz,
    last_issue_at  timestamptz,
    issues         integer,
    CONSTRAINT model_trials_pk PRIMARY KEY (trial),
    CONSTRAINT model_trials_outcome_known CHECK (outcome IN ('promoted', 'kept', 'refused', 'reverted')),
    CONSTRAINT model_trials_whole CHECK (
        outcome IN ('refused', 'reverted')
        OR num_nulls(challenger, learned_to, first_issue_at, last_issue_at, issues) = 0),
    CONSTRAINT model_trials_learned_before CHECK (learned_to <= first_issue_at)
);
COMMENT ON TABLE forecast.model_trials IS 'Trials of new trees against those in use, and returns to the bundled ones. The newest row that is promoted or reverted says which trees forecast.';
COMMENT ON COLUMN forecast.model_trials.trial IS 'Number of the trial, counting up.';
COMMENT ON COLUMN forecast.model_trials.decided_at IS 'When it was decided, by the clock of the database.';
COMMENT ON COLUMN forecast.model_trials.run_id IS 'Run in ops.etl_runs, where its asset is training.gradient_boosting; null for a return to the bundled trees.';
COMMENT ON COLUMN forecast.model_trials.model IS 'Name of the model: gradient_boosting.';
COMMENT ON COLUMN forecast.model_trials.outcome IS 'promoted (the challenger forecasts from now on), kept (the champion does), refused (no trial could be held) or reverted (the bundled trees forecast again).';
COMMENT ON COLUMN forecast.model_trials.reason IS 'Why, in a sentence.';
COMMENT ON COLUMN forecast.model_trials.champion IS 'Revision of the trees that were in use.';
COMMENT ON COLUMN forecast.model_trials.challenger IS 'Revision of the new trees; null where none were grown.';
COMMENT ON COLUMN forecast.model_trials.half_hours IS 'Half-hours of carbon intensity in this warehouse that could be learned from.';
COMMENT ON COLUMN forecast.model_trials.learned_to IS 'End of what the challenger has learned from, UTC; null where there is none.';
COMMENT ON COLUMN forecast.model_trials.first_issue_at IS 'First issue time of the back-test, UTC; null where there was none.';
COMMENT ON COLUMN forecast.model_trials.last_issue_at IS 'Last issue time of the back-test, UTC; null where there was none.';
COMMENT ON COLUMN forecast.model_trials.issues IS 'Issues that both were measured on; null where there were none.';

-- forecast.trial_errors: one row is the errors of carbon intensity of one trial and lead bucket.
-- Unique: trial, lead_bucket. Rows are added with their trial, and never changed.
CREATE TABLE forecast.trial_errors (
    trial                     bigint  NOT NULL,
    lead_bucket               text    NOT NULL,
    n                         bigint  NOT NULL,
    blocks                    integer NOT NULL,
    champion_mae_gco2_kwh     numeric NOT NULL,
    challenger_mae_gco2_kwh   numeric NOT NULL,
    difference_gco2_kwh       numeric NOT NULL,
    standard_error_gco2_kwh   numeric,
    CONSTRAINT trial_errors_pk PRIMARY KEY (trial, lead_bucket),
    CONSTRAINT trial_errors_bucket_known CHECK (
        lead_bucket IN ('0-3h', '3-6h', '6-12h', '12-24h', '24-48h'))
);
COMMENT ON TABLE forecast.trial_errors IS 'Errors of carbon intensity of both sides of a trial, over the same half-hours, by lead bucket.';
COMMENT ON COLUMN forecast.trial_errors.trial IS 'Number of the trial.';
COMMENT ON COLUMN forecast.trial_errors.lead_bucket IS 'Time from issue to half-hour: 0-3h, 3-6h, 6-12h, 12-24h or 24-48h, lower edge included.';
COMMENT ON COLUMN forecast.trial_errors.n IS 'Forecasts of a half-hour that were compared.';
COMMENT ON COLUMN forecast.trial_errors.blocks IS 'Blocks of three days that the standard error comes from.';
COMMENT ON COLUMN forecast.trial_errors.champion_mae_gco2_kwh IS 'Mean absolute error of the trees in use, gCO2/kWh.';
COMMENT ON COLUMN forecast.trial_errors.challenger_mae_gco2_kwh IS 'Mean absolute error of the new trees, gCO2/kWh.';
COMMENT ON COLUMN forecast.trial_errors.difference_gco2_kwh IS 'Challenger less champion, gCO2/kWh: negative is better.';
COMMENT ON COLUMN forecast.trial_errors.standard_error_gco2_kwh IS 'Standard error of the difference, from the means of blocks of three days of issue, gCO2/kWh; null with a single block.';

-- forecast.weights: one row is one set of trees that was promoted here, as files. Unique: model,
-- revision. Promoting the same trees again rewrites them. keep_newest_weights removes old ones.
CREATE TABLE forecast.weights (
    model     text        NOT NULL,
    revision  text        NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    trees     bytea       NOT NULL,
    card      text        NOT NULL,
    CONSTRAINT weights_pk PRIMARY KEY (model, revision)
);
ALTER TABLE forecast.weights ALTER COLUMN trees SET STORAGE EXTERNAL;  -- compressed already
COMMENT ON TABLE forecast.weights IS 'Trees that were promoted here, as files: the newest ones of each model.';
COMMENT ON COLUMN forecast.weights.model IS 'Name of the model: gradient_boosting.';
COMMENT ON COLUMN forecast.weights.revision IS 'Start of the SHA-256 of the trees.';
COMMENT ON COLUMN forecast.weights.stored_at IS 'When they were stored last, by the clock of the database.';
COMMENT ON COLUMN forecast.weights.trees IS 'The file trees.onnx.gz.';
COMMENT ON COLUMN forecast.weights.card IS 'The file grid.json: what the trees were made from, and how they are read.';

CREATE FUNCTION forecast.keep_newest_weights(of_model text) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed bigint;
BEGIN
    DELETE FROM forecast.weights AS w
    WHERE w.model = of_model AND w.revision NOT IN (
        SELECT kept.revision FROM forecast.weights AS kept
        WHERE kept.model = of_model ORDER BY kept.stored_at DESC LIMIT 3);
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
COMMENT ON FUNCTION forecast.keep_newest_weights(text) IS
    'Removes all weights of a model but the three that were stored last; returns how many.';

COMMENT ON COLUMN forecast.models.source IS 'Where it was loaded from: shipped, a folder, a Hugging Face id, warehouse (forecast.weights), or builtin.';
COMMENT ON COLUMN forecast.issues.fallback_reason IS 'Why this model, or these weights of it, forecast instead of the ones in use; null where they are those.';
