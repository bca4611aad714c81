-- raw is a change-log. One row is one half-hour as published at one capture; a row is added only
-- where the values differ from the capture before it. Unique: (period_start, captured_at).
-- A re-run that sees the same values adds nothing. Nothing updates or deletes.

CREATE TABLE raw.intensity (
    period_start      timestamptz NOT NULL,
    captured_at       timestamptz NOT NULL,
    forecast_gco2_kwh numeric,
    actual_gco2_kwh   numeric,
    intensity_index   text,
    CONSTRAINT intensity_pk PRIMARY KEY (period_start, captured_at),
    CONSTRAINT intensity_on_the_half_hour CHECK (mod(extract(epoch FROM period_start), 1800) = 0),
    CONSTRAINT intensity_finite CHECK (forecast_gco2_kwh NOT IN ('NaN', 'Infinity', '-Infinity')
                                   AND actual_gco2_kwh NOT IN ('NaN', 'Infinity', '-Infinity'))
);
COMMENT ON TABLE raw.intensity IS 'National carbon intensity as published, one row for each change.';
COMMENT ON COLUMN raw.intensity.period_start IS 'Start of the half-hour, UTC.';
COMMENT ON COLUMN raw.intensity.captured_at IS 'When the API''s answer was received.';
COMMENT ON COLUMN raw.intensity.forecast_gco2_kwh IS 'Published forecast, gCO2/kWh; beside a past actual it is the last, short-lead forecast.';
COMMENT ON COLUMN raw.intensity.actual_gco2_kwh IS 'Published actual, gCO2/kWh; null until published.';
COMMENT ON COLUMN raw.intensity.intensity_index IS 'Published band: very low, low, moderate, high, very high.';

CREATE TABLE raw.generation (
    period_start timestamptz NOT NULL,
    captured_at  timestamptz NOT NULL,
    biomass_pct  numeric,
    coal_pct     numeric,
    imports_pct  numeric,
    gas_pct      numeric,
    nuclear_pct  numeric,
    other_pct    numeric,
    hydro_pct    numeric,
    solar_pct    numeric,
    wind_pct     numeric,
    unknown_pct  jsonb       NOT NULL DEFAULT '{}',
    CONSTRAINT generation_pk PRIMARY KEY (period_start, captured_at),
    CONSTRAINT generation_on_the_half_hour CHECK (mod(extract(epoch FROM period_start), 1800) = 0)
);
COMMENT ON TABLE raw.generation IS 'National generation mix as published, one row for each change.';
COMMENT ON COLUMN raw.generation.period_start IS 'Start of the half-hour, UTC.';
COMMENT ON COLUMN raw.generation.captured_at IS 'When the API''s answer was received.';
COMMENT ON COLUMN raw.generation.biomass_pct IS 'Published share of biomass, %; null where none was given.';
COMMENT ON COLUMN raw.generation.coal_pct IS 'Published share of coal, %; null where none was given.';
COMMENT ON COLUMN raw.generation.imports_pct IS 'Published share of imports, %; null where none was given.';
COMMENT ON COLUMN raw.generation.gas_pct IS 'Published share of gas, %; null where none was given.';
COMMENT ON COLUMN raw.generation.nuclear_pct IS 'Published share of nuclear, %; null where none was given.';
COMMENT ON COLUMN raw.generation.other_pct IS 'Published share of other, %; null where none was given.';
COMMENT ON COLUMN raw.generation.hydro_pct IS 'Published share of hydro, %; null where none was given.';
COMMENT ON COLUMN raw.generation.solar_pct IS 'Published share of solar, %; null where none was given.';
COMMENT ON COLUMN raw.generation.wind_pct IS 'Published share of wind, %; null where none was given.';
COMMENT ON COLUMN raw.generation.unknown_pct IS 'Published shares of fuels that are not one of the nine, % by name.';

-- One row is one half-hour of one 48-hour forecast. Unique: (issued_at, period_start).
-- NESO keeps no history of it: what was not captured is lost, so rows are only ever added.
CREATE TABLE raw.neso_forecast (
    issued_at         timestamptz NOT NULL,
    period_start      timestamptz NOT NULL,
    forecast_gco2_kwh numeric     NOT NULL,
    simulated         boolean     NOT NULL DEFAULT false,
    CONSTRAINT neso_forecast_pk PRIMARY KEY (issued_at, period_start),
    CONSTRAINT neso_forecast_on_the_half_hour CHECK (mod(extract(epoch FROM period_start), 1800) = 0),
    CONSTRAINT neso_forecast_finite CHECK (forecast_gco2_kwh NOT IN ('NaN', 'Infinity', '-Infinity'))
);
COMMENT ON TABLE raw.neso_forecast IS 'NESO''s 48-hour forecasts of carbon intensity as they were captured.';
COMMENT ON COLUMN raw.neso_forecast.issued_at IS 'When this forecast was captured; NESO publishes no issue time.';
COMMENT ON COLUMN raw.neso_forecast.period_start IS 'Start of the forecast half-hour, UTC.';
COMMENT ON COLUMN raw.neso_forecast.forecast_gco2_kwh IS 'Published forecast, gCO2/kWh.';
COMMENT ON COLUMN raw.neso_forecast.simulated IS 'True where the recorded API made it up; no statement about NESO''s accuracy may rest on it.';
