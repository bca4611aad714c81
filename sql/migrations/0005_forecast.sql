-- forecast: what was forecast, by which model, on what knowledge, and how good it was.

-- forecast.models: one row is one checkpoint, at one revision of its weights, that has forecast
-- here. Unique: (model, revision). A re-run sets last_used_at and nothing else.
CREATE TABLE forecast.models (
    model         text        NOT NULL,
    revision      text        NOT NULL,
    source        text        NOT NULL,
    trained_to    timestamptz,
    parameters    bigint,
    scores        jsonb       NOT NULL DEFAULT '{}',
    first_used_at timestamptz NOT NULL DEFAULT now(),
    last_used_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT models_pk PRIMARY KEY (model, revision)
);
COMMENT ON TABLE forecast.models IS 'One checkpoint, at one revision of its weights, that has forecast here.';
COMMENT ON COLUMN forecast.models.model IS 'Name of the model: chronos:<checkpoint>, seasonal_naive or neso.';
COMMENT ON COLUMN forecast.models.revision IS 'Which weights: start of the file''s SHA-256, or the commit on the model hub; the version of the rule for a model without weights.';
COMMENT ON COLUMN forecast.models.source IS 'Where it was loaded from: shipped, a folder, a Hugging Face id, or builtin.';
COMMENT ON COLUMN forecast.models.trained_to IS 'End of the data it was trained on; null where nothing was trained or it is not known.';
COMMENT ON COLUMN forecast.models.parameters IS 'Number of weights; null where there are none.';
COMMENT ON COLUMN forecast.models.scores IS 'Scores that came with the checkpoint, by span, series and lead bucket.';
COMMENT ON COLUMN forecast.models.first_used_at IS 'When it first forecast here.';
COMMENT ON COLUMN forecast.models.last_used_at IS 'When it last forecast here.';

-- forecast.issues: one row is one time at which one model was asked, with what it was shown, or why
-- there is no forecast. Unique: (model, issued_at). A re-run replaces it.
CREATE TABLE forecast.issues (
    model             text        NOT NULL,
    issued_at         timestamptz NOT NULL,
    created_at        timestamptz NOT NULL,
    revision          text        NOT NULL,
    intensity_to      timestamptz,
    mix_to            timestamptz,
    context_missing   integer     NOT NULL,
    context_assumed   integer     NOT NULL,
    known_by          text        NOT NULL,
    neso_issued_at    timestamptz,
    calibrated_on     integer     NOT NULL DEFAULT 0,
    fallback_reason   text,
    refused_reason    text,
    CONSTRAINT issues_pk PRIMARY KEY (model, issued_at),
    CONSTRAINT issues_known_by_known CHECK (known_by IN ('capture', 'end_of_half_hour'))
);
CREATE INDEX issues_by_time ON forecast.issues (issued_at DESC, model);
COMMENT ON TABLE forecast.issues IS 'One time at which one model was asked for a forecast: what it was shown, or why there is none.';
COMMENT ON COLUMN forecast.issues.model IS 'Name of the model.';
COMMENT ON COLUMN forecast.issues.issued_at IS 'Half-hour boundary at which the stored forecast starts, UTC; for neso, when its forecast was captured.';
COMMENT ON COLUMN forecast.issues.created_at IS 'When the forecast was made here; for neso, when it was captured.';
COMMENT ON COLUMN forecast.issues.revision IS 'Revision of the model in forecast.models.';
COMMENT ON COLUMN forecast.issues.intensity_to IS 'End of the newest half-hour of carbon intensity that the model was shown.';
COMMENT ON COLUMN forecast.issues.mix_to IS 'End of the newest half-hour of the generation mix that the model was shown.';
COMMENT ON COLUMN forecast.issues.context_missing IS 'Half-hours of the context that lacked carbon intensity or the mix; shown to the model as missing.';
COMMENT ON COLUMN forecast.issues.context_assumed IS 'Half-hours of the context that were loaded later and are taken as known at their end.';
COMMENT ON COLUMN forecast.issues.known_by IS 'capture where every value had been captured by the issue time, end_of_half_hour where any was loaded later.';
COMMENT ON COLUMN forecast.issues.neso_issued_at IS 'Capture of NESO''s forecast that the model was shown; null where it was not.';
COMMENT ON COLUMN forecast.issues.calibrated_on IS 'Past issues whose errors the band was recalibrated with; 0 where it is the model''s own.';
COMMENT ON COLUMN forecast.issues.fallback_reason IS 'Why this model forecast instead of the configured one; null where it is that one.';
COMMENT ON COLUMN forecast.issues.refused_reason IS 'Why there is no forecast; null where there is one.';

-- From when a published value was known: from its capture. Where the first capture came long after
-- the half-hour ended, or the half-hour had ended before anything was ever captured here, history was
-- loaded later: the value is then taken as known from the end of the half-hour. So is one without a
-- capture, which another program wrote into core.
CREATE FUNCTION forecast.known_from(
    period_start timestamptz, captured_at timestamptz, first_captured_at timestamptz,
    opened_at timestamptz, late interval
) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN captured_at IS NULL
                  OR captured_at = first_captured_at
                 AND (captured_at > period_start + interval '30 minutes' + late
                      OR period_start + interval '30 minutes' <= opened_at)
                THEN least(captured_at, period_start + interval '30 minutes')
                ELSE captured_at END;
COMMENT ON FUNCTION forecast.known_from(timestamptz, timestamptz, timestamptz, timestamptz, interval) IS
    'From when a value was known: its capture, or the end of its half-hour where it was loaded later.';

-- forecast.predictions: one row is one quantile forecast of one series for one half-hour.
-- Unique: (model, series, issued_at, period_start). A re-run of an issue replaces all of its rows;
-- where nothing would change it writes nothing.
CREATE TABLE forecast.predictions (
    model        text          NOT NULL,
    series       text          NOT NULL,
    period_start timestamptz   NOT NULL,
    issued_at    timestamptz   NOT NULL,
    created_at   timestamptz   NOT NULL,
    p10          numeric(5, 1),
    p50          numeric(5, 1) NOT NULL,
    p90          numeric(5, 1),
    raw_p10      real,
    raw_p50      real,
    raw_p90      real,
    simulated    boolean       NOT NULL DEFAULT false,
    -- in the order in which dashboards read: a model, a series, a time, its newest issue
    CONSTRAINT predictions_pk PRIMARY KEY (model, series, period_start, issued_at),
    CONSTRAINT predictions_on_the_half_hour CHECK (mod(extract(epoch FROM period_start), 1800) = 0),
    CONSTRAINT predictions_not_before_issue CHECK (period_start >= issued_at),
    CONSTRAINT predictions_quantiles_ordered CHECK (p10 <= p50 AND p50 <= p90),
    CONSTRAINT predictions_band_whole CHECK ((p10 IS NULL) = (p90 IS NULL)),
    CONSTRAINT predictions_series_known CHECK (series IN (
        'carbon_intensity', 'biomass', 'coal', 'imports', 'gas', 'nuclear', 'other', 'hydro', 'solar', 'wind')),
    CONSTRAINT predictions_in_range CHECK (
        coalesce(p10, p50) >= 0
        AND coalesce(p90, p50) <= CASE series WHEN 'carbon_intensity' THEN 1000 ELSE 100 END)
);
CREATE INDEX predictions_by_issue ON forecast.predictions (issued_at, model);
COMMENT ON TABLE forecast.predictions IS 'One quantile forecast of one series for one half-hour, as it was issued.';
COMMENT ON COLUMN forecast.predictions.model IS 'chronos:<checkpoint>, seasonal_naive or neso.';
COMMENT ON COLUMN forecast.predictions.series IS 'carbon_intensity (gCO2/kWh), or one of the nine fuels (%).';
COMMENT ON COLUMN forecast.predictions.period_start IS 'Start of the forecast half-hour, UTC.';
COMMENT ON COLUMN forecast.predictions.issued_at IS 'Half-hour boundary at which the forecast starts: only what was published before it was used. For neso, when it was captured.';
COMMENT ON COLUMN forecast.predictions.created_at IS 'When the row was made; for neso, when it was captured.';
COMMENT ON COLUMN forecast.predictions.p10 IS 'Recalibrated 10 % quantile, gCO2/kWh or %; null where the model gives no band.';
COMMENT ON COLUMN forecast.predictions.p50 IS 'Median, gCO2/kWh or %; the shares of a half-hour sum to exactly 100.';
COMMENT ON COLUMN forecast.predictions.p90 IS 'Recalibrated 90 % quantile, gCO2/kWh or %; null where the model gives no band.';
COMMENT ON COLUMN forecast.predictions.raw_p10 IS '10 % quantile as the model gave it; null where it gave none.';
COMMENT ON COLUMN forecast.predictions.raw_p50 IS 'Median as the model gave it, before shares were made to sum to 100.';
COMMENT ON COLUMN forecast.predictions.raw_p90 IS '90 % quantile as the model gave it; null where it gave none.';
COMMENT ON COLUMN forecast.predictions.simulated IS 'True for a forecast of neso that the recorded API simulated; it says nothing about NESO.';

-- forecast.calibration: one row is how far the band of one model is widened for one series and lead
-- on one UTC day of issue, from errors known when the day began. Unique: (model, issue_date, series,
-- step). A back-test of the day replaces it.
CREATE TABLE forecast.calibration (
    model      text    NOT NULL,
    revision   text    NOT NULL,
    issue_date date    NOT NULL,
    series     text    NOT NULL,
    step       integer NOT NULL,
    margin     real    NOT NULL,
    issues     integer NOT NULL,
    CONSTRAINT calibration_pk PRIMARY KEY (model, issue_date, series, step),
    CONSTRAINT calibration_step_known CHECK (step BETWEEN 0 AND 95)
);
COMMENT ON TABLE forecast.calibration IS 'How far the band of a model is widened, by day of issue, series and lead (split conformal).';
COMMENT ON COLUMN forecast.calibration.model IS 'Name of the model.';
COMMENT ON COLUMN forecast.calibration.revision IS 'Weights whose errors it comes from; other weights of the same name have none of it.';
COMMENT ON COLUMN forecast.calibration.issue_date IS 'UTC day of issue that it is for; only errors known when the day began are in it.';
COMMENT ON COLUMN forecast.calibration.series IS 'Series that it is for.';
COMMENT ON COLUMN forecast.calibration.step IS 'Half-hours of lead, 0 to 95.';
COMMENT ON COLUMN forecast.calibration.margin IS 'Added to the raw 90 % and taken from the raw 10 % quantile, gCO2/kWh or %; negative narrows.';
COMMENT ON COLUMN forecast.calibration.issues IS 'Past issues whose errors it comes from.';

-- forecast.accuracy: one row is the errors of one model, series, UTC day of target and lead bucket.
-- Unique: those four. Sums are stored so that days add up exactly; a re-run replaces what changed.
CREATE TABLE forecast.accuracy (
    model          text    NOT NULL,
    series         text    NOT NULL,
    target_date    date    NOT NULL,
    lead_bucket    text    NOT NULL,
    n              bigint  NOT NULL,
    abs_error_sum  numeric NOT NULL,
    error_sum      numeric NOT NULL,
    abs_actual_sum numeric NOT NULL,
    n_band         bigint  NOT NULL,
    pinball_sum    numeric,
    n_inside_80    bigint  NOT NULL,
    simulated      boolean NOT NULL,
    mae            numeric NOT NULL GENERATED ALWAYS AS (round(abs_error_sum / n, 3)) STORED,
    bias           numeric NOT NULL GENERATED ALWAYS AS (round(error_sum / n, 3)) STORED,
    wape           numeric GENERATED ALWAYS AS (round(abs_error_sum / nullif(abs_actual_sum, 0), 4)) STORED,
    pinball        numeric GENERATED ALWAYS AS (round(pinball_sum / nullif(n_band, 0), 3)) STORED,
    coverage_80    numeric GENERATED ALWAYS AS (round(n_inside_80::numeric / nullif(n_band, 0), 4)) STORED,
    CONSTRAINT accuracy_pk PRIMARY KEY (model, series, target_date, lead_bucket),
    CONSTRAINT accuracy_counts_something CHECK (n > 0 AND n_band BETWEEN 0 AND n AND n_inside_80 BETWEEN 0 AND n_band),
    CONSTRAINT accuracy_bucket_known CHECK (lead_bucket IN ('0-3h', '3-6h', '6-12h', '12-24h', '24-48h'))
);
CREATE INDEX accuracy_by_day ON forecast.accuracy (target_date);
COMMENT ON TABLE forecast.accuracy IS 'Errors of one model and series over one UTC day of target and lead bucket.';
COMMENT ON COLUMN forecast.accuracy.model IS 'Name of the model.';
COMMENT ON COLUMN forecast.accuracy.series IS 'carbon_intensity (gCO2/kWh), or one of the nine fuels (%).';
COMMENT ON COLUMN forecast.accuracy.target_date IS 'UTC day of the forecast half-hours.';
COMMENT ON COLUMN forecast.accuracy.lead_bucket IS 'Time from issue to half-hour: 0-3h, 3-6h, 6-12h, 12-24h or 24-48h, lower edge included.';
COMMENT ON COLUMN forecast.accuracy.n IS 'Forecasts compared with an actual.';
COMMENT ON COLUMN forecast.accuracy.abs_error_sum IS 'Sum of absolute errors, gCO2/kWh or %.';
COMMENT ON COLUMN forecast.accuracy.error_sum IS 'Sum of errors (median minus actual), gCO2/kWh or %.';
COMMENT ON COLUMN forecast.accuracy.abs_actual_sum IS 'Sum of absolute actuals, gCO2/kWh or %.';
COMMENT ON COLUMN forecast.accuracy.n_band IS 'Forecasts that have a band.';
COMMENT ON COLUMN forecast.accuracy.pinball_sum IS 'Sum over forecasts with a band of the mean pinball loss at 0.1, 0.5 and 0.9; null where none has a band.';
COMMENT ON COLUMN forecast.accuracy.n_inside_80 IS 'Forecasts whose band held the actual.';
COMMENT ON COLUMN forecast.accuracy.simulated IS 'True where any of the forecasts was simulated by the recorded API.';
COMMENT ON COLUMN forecast.accuracy.mae IS 'Mean absolute error, gCO2/kWh or %.';
COMMENT ON COLUMN forecast.accuracy.bias IS 'Mean error (median minus actual), gCO2/kWh or %.';
COMMENT ON COLUMN forecast.accuracy.wape IS 'Sum of absolute errors over sum of actuals; null where all actuals are 0.';
COMMENT ON COLUMN forecast.accuracy.pinball IS 'Mean pinball loss over the quantiles 0.1, 0.5 and 0.9, gCO2/kWh or %; null without a band.';
COMMENT ON COLUMN forecast.accuracy.coverage_80 IS 'Share of actuals inside the band from p10 to p90, 0 to 1; null without a band.';
