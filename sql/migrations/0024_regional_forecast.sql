-- Forecasts by region: how NESO's and ours have done, and how ours is derived.

-- forecast.regional_weights: one row is, for one region and lead bucket, how much of the difference
-- between our national forecast and NESO's is added to NESO's forecast of the region. Fitted once a
-- day from captured forecasts; only added to. Unique: region_id, fitted_at, lead_bucket.
CREATE TABLE forecast.regional_weights (
    region_id     smallint    NOT NULL,
    fitted_at     timestamptz NOT NULL,
    lead_bucket   text        NOT NULL,
    weight        real        NOT NULL,
    band_gco2_kwh real,
    half_hours    integer     NOT NULL,
    is_shown      boolean     NOT NULL,
    CONSTRAINT regional_weights_pk PRIMARY KEY (region_id, fitted_at, lead_bucket),
    CONSTRAINT regional_weights_of_a_region FOREIGN KEY (region_id) REFERENCES core.regions,
    CONSTRAINT regional_weights_bucket_known CHECK (lead_bucket IN ('0-3h', '3-6h', '6-12h', '12-24h', '24-48h')),
    CONSTRAINT regional_weights_in_range CHECK (weight BETWEEN 0 AND 2),
    CONSTRAINT regional_weights_band_positive CHECK (band_gco2_kwh >= 0),
    CONSTRAINT regional_weights_counted CHECK (half_hours >= 0)
);
COMMENT ON TABLE forecast.regional_weights IS 'How the forecast of a region is derived from NESO''s: its weights by region and lead bucket, one set per fit.';
COMMENT ON COLUMN forecast.regional_weights.region_id IS 'Region, 1 to 18: core.regions.';
COMMENT ON COLUMN forecast.regional_weights.fitted_at IS 'When the weight was fitted, from what was known then.';
COMMENT ON COLUMN forecast.regional_weights.lead_bucket IS 'Lead of the half-hours that it is for, lower edge included.';
COMMENT ON COLUMN forecast.regional_weights.weight IS 'What part of the difference between our national forecast and NESO''s is added to NESO''s forecast of the region.';
COMMENT ON COLUMN forecast.regional_weights.band_gco2_kwh IS 'Half the width of the 80 % band, gCO2/kWh; null while too few errors are known.';
COMMENT ON COLUMN forecast.regional_weights.half_hours IS 'Half-hours of forecasts that it was fitted to.';
COMMENT ON COLUMN forecast.regional_weights.is_shown IS 'Whether the derived forecast of the region has been no worse than NESO''s, and so is shown.';

-- forecast.regional_accuracy: one row is one model's errors in one region, day and lead bucket, as
-- sums. There is no actual for regions: errors are against the API's own later estimate. Unique:
-- model, region_id, target_date, lead_bucket. A re-run rewrites only rows that changed.
CREATE TABLE forecast.regional_accuracy (
    model              text     NOT NULL,
    region_id          smallint NOT NULL,
    target_date        date     NOT NULL,
    lead_bucket        text     NOT NULL,
    n                  integer  NOT NULL,
    abs_error_sum      numeric  NOT NULL,
    error_sum          numeric  NOT NULL,
    abs_estimate_sum   numeric  NOT NULL,
    neso_abs_error_sum numeric,
    simulated          boolean  NOT NULL,
    CONSTRAINT regional_accuracy_pk PRIMARY KEY (target_date, region_id, model, lead_bucket),
    CONSTRAINT regional_accuracy_of_a_region FOREIGN KEY (region_id) REFERENCES core.regions,
    CONSTRAINT regional_accuracy_bucket_known CHECK (lead_bucket IN ('0-3h', '3-6h', '6-12h', '12-24h', '24-48h')),
    CONSTRAINT regional_accuracy_counted CHECK (n > 0)
);
COMMENT ON TABLE forecast.regional_accuracy IS 'Errors of forecasts by region against the API''s own later estimate, because no actual is published: one row per model, region, day and lead bucket.';
COMMENT ON COLUMN forecast.regional_accuracy.model IS 'neso: as published. blend: derived from it with our national forecast.';
COMMENT ON COLUMN forecast.regional_accuracy.region_id IS 'Region, 1 to 18: core.regions.';
COMMENT ON COLUMN forecast.regional_accuracy.target_date IS 'UTC day of the half-hours that were forecast.';
COMMENT ON COLUMN forecast.regional_accuracy.lead_bucket IS 'Lead of the forecasts, lower edge included.';
COMMENT ON COLUMN forecast.regional_accuracy.n IS 'Forecasts of a half-hour that were compared.';
COMMENT ON COLUMN forecast.regional_accuracy.abs_error_sum IS 'Sum of the absolute errors, gCO2/kWh.';
COMMENT ON COLUMN forecast.regional_accuracy.error_sum IS 'Sum of forecast minus estimate, gCO2/kWh.';
COMMENT ON COLUMN forecast.regional_accuracy.abs_estimate_sum IS 'Sum of the estimates, gCO2/kWh.';
COMMENT ON COLUMN forecast.regional_accuracy.neso_abs_error_sum IS 'Sum of the absolute errors of NESO''s forecasts for the same half-hours, issued at the same times, gCO2/kWh; null for neso itself.';
COMMENT ON COLUMN forecast.regional_accuracy.simulated IS 'True where the recorded API simulated any of it: the scores say nothing about NESO.';

-- One row of reporting.carbon_of_use.
CREATE TYPE core.carbon_of_use AS (
    gco2          numeric,
    mean_gco2_kwh numeric,
    kwh           numeric,
    measured_kwh  numeric,
    forecast_kwh  numeric
);
COMMENT ON TYPE core.carbon_of_use IS 'What a use of electricity emits: a row of reporting.carbon_of_use.';
