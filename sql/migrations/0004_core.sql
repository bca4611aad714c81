-- core.intensity: one row is one half-hour that has begun, with its newest published values.
-- Unique: period_start. A re-run rewrites only rows that changed.

-- The one rule of cleaning: no mix of GB's power stations emits less than 0 or more than its
-- dirtiest fuel (coal, 937 gCO2/kWh in the operator's factors), so anything outside 0 to 1000 is
-- no measurement. It stays in raw, becomes null here, and the reason stands beside it.
CREATE FUNCTION core.plausible_gco2_kwh(published numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN published BETWEEN 0 AND 1000 THEN published END;
COMMENT ON FUNCTION core.plausible_gco2_kwh(numeric) IS 'The published gCO2/kWh, or null where it lies outside 0 to 1000.';

CREATE FUNCTION core.implausible_reason(published numeric) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN published NOT BETWEEN 0 AND 1000
                THEN 'published ' || published::text || ' gCO2/kWh is outside 0 to 1000' END;
COMMENT ON FUNCTION core.implausible_reason(numeric) IS 'Why a published gCO2/kWh is null in core; null where it is not.';

CREATE TABLE core.intensity (
    period_start      timestamptz NOT NULL,
    forecast_gco2_kwh numeric,
    actual_gco2_kwh   numeric,
    intensity_index   text,
    forecast_reason   text,
    actual_reason     text,
    captured_at       timestamptz,
    CONSTRAINT intensity_pk PRIMARY KEY (period_start),
    CONSTRAINT intensity_on_the_half_hour CHECK (mod(extract(epoch FROM period_start), 1800) = 0),
    CONSTRAINT forecast_plausible CHECK (forecast_gco2_kwh BETWEEN 0 AND 1000),
    CONSTRAINT actual_plausible CHECK (actual_gco2_kwh BETWEEN 0 AND 1000),
    CONSTRAINT forecast_reason_beside_null CHECK (forecast_reason IS NULL OR forecast_gco2_kwh IS NULL),
    CONSTRAINT actual_reason_beside_null CHECK (actual_reason IS NULL OR actual_gco2_kwh IS NULL)
);
COMMENT ON TABLE core.intensity IS 'National carbon intensity, one row a half-hour that has begun.';
COMMENT ON COLUMN core.intensity.period_start IS 'Start of the half-hour, UTC.';
COMMENT ON COLUMN core.intensity.forecast_gco2_kwh IS 'Newest published forecast, gCO2/kWh; a nowcast once the half-hour is over.';
COMMENT ON COLUMN core.intensity.actual_gco2_kwh IS 'Newest published actual, gCO2/kWh; null until published. 0 is a value.';
COMMENT ON COLUMN core.intensity.intensity_index IS 'Published band: very low, low, moderate, high, very high.';
COMMENT ON COLUMN core.intensity.forecast_reason IS 'Why a published forecast was set to null; null where it was not.';
COMMENT ON COLUMN core.intensity.actual_reason IS 'Why a published actual was set to null; null where it was not.';
COMMENT ON COLUMN core.intensity.captured_at IS 'Capture in raw.intensity that the row comes from; null for a row that another program wrote.';

-- core.generation_mix: one row is one half-hour; its shares sum to exactly 100, by construction:
-- other_pct is what the eight named fuels leave, and nothing can write it.
-- Unique: period_start. A re-run rewrites only rows that changed.
CREATE TABLE core.generation_mix (
    period_start        timestamptz   NOT NULL,
    biomass_pct         numeric(4, 1),
    coal_pct            numeric(4, 1),
    imports_pct         numeric(4, 1),
    gas_pct             numeric(4, 1),
    nuclear_pct         numeric(4, 1),
    other_pct           numeric(4, 1) NOT NULL GENERATED ALWAYS AS (
        100 - coalesce(biomass_pct, 0) - coalesce(coal_pct, 0) - coalesce(imports_pct, 0)
            - coalesce(gas_pct, 0) - coalesce(nuclear_pct, 0) - coalesce(hydro_pct, 0)
            - coalesce(solar_pct, 0) - coalesce(wind_pct, 0)) STORED,
    hydro_pct           numeric(4, 1),
    solar_pct           numeric(4, 1),
    wind_pct            numeric(4, 1),
    published_total_pct numeric(5, 1),
    adjustment          text          NOT NULL DEFAULT 'none',
    captured_at         timestamptz,
    CONSTRAINT generation_mix_pk PRIMARY KEY (period_start),
    CONSTRAINT generation_mix_on_the_half_hour CHECK (mod(extract(epoch FROM period_start), 1800) = 0),
    -- BETWEEN also refuses NaN, which PostgreSQL sorts above every number
    CONSTRAINT biomass_pct_in_range CHECK (biomass_pct BETWEEN 0 AND 100),
    CONSTRAINT coal_pct_in_range CHECK (coal_pct BETWEEN 0 AND 100),
    CONSTRAINT imports_pct_in_range CHECK (imports_pct BETWEEN 0 AND 100),
    CONSTRAINT gas_pct_in_range CHECK (gas_pct BETWEEN 0 AND 100),
    CONSTRAINT nuclear_pct_in_range CHECK (nuclear_pct BETWEEN 0 AND 100),
    CONSTRAINT hydro_pct_in_range CHECK (hydro_pct BETWEEN 0 AND 100),
    CONSTRAINT solar_pct_in_range CHECK (solar_pct BETWEEN 0 AND 100),
    CONSTRAINT wind_pct_in_range CHECK (wind_pct BETWEEN 0 AND 100),
    CONSTRAINT other_pct_in_range CHECK (other_pct BETWEEN 0 AND 100),
    CONSTRAINT adjustment_known CHECK (adjustment IN ('none', 'other_completed', 'scaled_to_100'))
);
COMMENT ON TABLE core.generation_mix IS 'National generation mix, one row a half-hour; shares sum to exactly 100.';
COMMENT ON COLUMN core.generation_mix.period_start IS 'Start of the half-hour, UTC.';
COMMENT ON COLUMN core.generation_mix.biomass_pct IS 'Share of biomass, %; null where the source gave none, its power is then in other.';
COMMENT ON COLUMN core.generation_mix.coal_pct IS 'Share of coal, %; null where the source gave none, its power is then in other.';
COMMENT ON COLUMN core.generation_mix.imports_pct IS 'Share of imports, %; null where the source gave none, its power is then in other.';
COMMENT ON COLUMN core.generation_mix.gas_pct IS 'Share of gas, %; null where the source gave none, its power is then in other.';
COMMENT ON COLUMN core.generation_mix.nuclear_pct IS 'Share of nuclear, %; null where the source gave none, its power is then in other.';
COMMENT ON COLUMN core.generation_mix.hydro_pct IS 'Share of hydro, %; null where the source gave none, its power is then in other.';
COMMENT ON COLUMN core.generation_mix.solar_pct IS 'Share of solar, %; null where the source gave none, its power is then in other.';
COMMENT ON COLUMN core.generation_mix.wind_pct IS 'Share of wind, %; null where the source gave none, its power is then in other.';
COMMENT ON COLUMN core.generation_mix.other_pct IS 'Share of everything else, %: 100 minus the eight named fuels.';
COMMENT ON COLUMN core.generation_mix.published_total_pct IS 'Sum of all shares as published, %; 99.7 to 100.2 by rounding.';
COMMENT ON COLUMN core.generation_mix.adjustment IS 'none, other_completed (other became the rest to 100), or scaled_to_100 (named fuels passed 100 by rounding).';
COMMENT ON COLUMN core.generation_mix.captured_at IS 'Capture in raw.generation that the row comes from; null for a row that another program wrote.';
