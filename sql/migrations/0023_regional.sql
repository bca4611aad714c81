-- Carbon intensity and generation mix by region: as published (raw), and clean (core).
-- docs/decisions/0048 has the measurements behind their form.

-- raw.regional is a change log. One row is one half-hour of one region as published at one capture;
-- a row is added only where the values differ from what was received last of it. Unique: region_id,
-- period_start, captured_at. A re-run that sees the same values adds nothing. Nothing updates or
-- deletes.
CREATE TABLE raw.regional (
    region_id         smallint    NOT NULL,
    simulated         boolean     NOT NULL DEFAULT false,
    period_start      timestamptz NOT NULL,
    captured_at       timestamptz NOT NULL,
    arrival           bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    forecast_gco2_kwh numeric,
    actual_gco2_kwh   numeric,
    intensity_index   text,
    biomass_pct       numeric,
    coal_pct          numeric,
    imports_pct       numeric,
    gas_pct           numeric,
    nuclear_pct       numeric,
    other_pct         numeric,
    hydro_pct         numeric,
    solar_pct         numeric,
    wind_pct          numeric,
    unknown_pct       jsonb       NOT NULL DEFAULT '{}',
    CONSTRAINT regional_pk PRIMARY KEY (region_id, period_start, captured_at),
    CONSTRAINT regional_of_a_region FOREIGN KEY (region_id) REFERENCES core.regions,
    CONSTRAINT regional_on_the_half_hour CHECK (mod(extract(epoch FROM period_start), 1800) = 0),
    CONSTRAINT regional_finite CHECK (forecast_gco2_kwh NOT IN ('NaN', 'Infinity', '-Infinity')
                                  AND actual_gco2_kwh NOT IN ('NaN', 'Infinity', '-Infinity'))
);
COMMENT ON TABLE raw.regional IS 'Carbon intensity and generation mix by region as published: one row per change. Regional values count what is consumed in the region.';
COMMENT ON COLUMN raw.regional.region_id IS 'Region, 1 to 18, by the name in the response: core.regions.';
COMMENT ON COLUMN raw.regional.simulated IS 'True where the recorded API derived the values from national ones: they were never published.';
COMMENT ON COLUMN raw.regional.period_start IS 'Start of the half-hour, UTC.';
COMMENT ON COLUMN raw.regional.captured_at IS 'When the API''s response was received, by the clock of the machine that received it.';
COMMENT ON COLUMN raw.regional.arrival IS 'Order in which rows were received; of a region and half-hour, the row with the largest is the newest.';
COMMENT ON COLUMN raw.regional.forecast_gco2_kwh IS 'Published forecast, gCO2/kWh. Once the half-hour is over, the API replaces it with an estimate of what happened, under the same name.';
COMMENT ON COLUMN raw.regional.actual_gco2_kwh IS 'Published actual, gCO2/kWh. The API has none for regions; kept in case it publishes them one day.';
COMMENT ON COLUMN raw.regional.intensity_index IS 'Published class: very low, low, moderate, high, very high; the limits are the national ones.';
COMMENT ON COLUMN raw.regional.biomass_pct IS 'Published share of biomass, %; null where none was given.';
COMMENT ON COLUMN raw.regional.coal_pct IS 'Published share of coal, %; null where none was given.';
COMMENT ON COLUMN raw.regional.imports_pct IS 'Published share of imports, %; null where none was given.';
COMMENT ON COLUMN raw.regional.gas_pct IS 'Published share of gas, %; null where none was given.';
COMMENT ON COLUMN raw.regional.nuclear_pct IS 'Published share of nuclear, %; null where none was given.';
COMMENT ON COLUMN raw.regional.other_pct IS 'Published share of other, %; null where none was given.';
COMMENT ON COLUMN raw.regional.hydro_pct IS 'Published share of hydro, %; null where none was given.';
COMMENT ON COLUMN raw.regional.solar_pct IS 'Published share of solar, %; null where none was given.';
COMMENT ON COLUMN raw.regional.wind_pct IS 'Published share of wind, %; null where none was given.';
COMMENT ON COLUMN raw.regional.unknown_pct IS 'Published shares of fuels that are not one of the nine, % by name.';

-- raw.regional_vintages: one row is one captured 48-hour forecast of all regions. Unique: issued_at.
-- A capture with the same values as the one before it adds nothing. NESO keeps no history of it:
-- what was not captured is lost, so rows are only ever added.
-- Each array has a line for each region, in the order of region_id, and in it the half-hours from
-- starts_at on. Arrays of one series for all regions compress best.
CREATE TABLE raw.regional_vintages (
    issued_at       timestamptz NOT NULL,
    starts_at       timestamptz NOT NULL,
    simulated       boolean     NOT NULL DEFAULT false,
    forecast_tenths smallint[]  NOT NULL,
    biomass_tenths  smallint[]  NOT NULL,
    coal_tenths     smallint[]  NOT NULL,
    imports_tenths  smallint[]  NOT NULL,
    gas_tenths      smallint[]  NOT NULL,
    nuclear_tenths  smallint[]  NOT NULL,
    other_tenths    smallint[]  NOT NULL,
    hydro_tenths    smallint[]  NOT NULL,
    solar_tenths    smallint[]  NOT NULL,
    wind_tenths     smallint[]  NOT NULL,
    unknown_pct     jsonb       NOT NULL DEFAULT '[]',
    CONSTRAINT regional_vintages_pk PRIMARY KEY (issued_at),
    CONSTRAINT regional_vintages_on_the_half_hour CHECK (mod(extract(epoch FROM starts_at), 1800) = 0),
    -- of an empty array the dimensions are null, which IS TRUE refuses
    CONSTRAINT regional_vintages_one_shape CHECK ((
        array_ndims(forecast_tenths) = 2 AND array_length(forecast_tenths, 1) = 18
        AND array_dims(biomass_tenths) = array_dims(forecast_tenths)
        AND array_dims(coal_tenths) = array_dims(forecast_tenths)
        AND array_dims(imports_tenths) = array_dims(forecast_tenths)
        AND array_dims(gas_tenths) = array_dims(forecast_tenths)
        AND array_dims(nuclear_tenths) = array_dims(forecast_tenths)
        AND array_dims(other_tenths) = array_dims(forecast_tenths)
        AND array_dims(hydro_tenths) = array_dims(forecast_tenths)
        AND array_dims(solar_tenths) = array_dims(forecast_tenths)
        AND array_dims(wind_tenths) = array_dims(forecast_tenths)) IS TRUE)
);
COMMENT ON TABLE raw.regional_vintages IS 'NESO''s 48-hour forecasts by region as captured, in arrays: one row per capture. raw.regional_forecast shows them by region and half-hour.';
COMMENT ON COLUMN raw.regional_vintages.issued_at IS 'When the forecast was captured; NESO publishes no issue time.';
COMMENT ON COLUMN raw.regional_vintages.starts_at IS 'Start of the first half-hour of the arrays, UTC: the one in which the forecast was captured.';
COMMENT ON COLUMN raw.regional_vintages.simulated IS 'True where the recorded API derived the forecast from national values: it was never published.';
COMMENT ON COLUMN raw.regional_vintages.forecast_tenths IS 'Published forecasts in tenths of gCO2/kWh, by region and half-hour; null where none was published.';
COMMENT ON COLUMN raw.regional_vintages.biomass_tenths IS 'Published share of biomass in tenths of a percent, by region and half-hour; null where none was given.';
COMMENT ON COLUMN raw.regional_vintages.coal_tenths IS 'Published share of coal in tenths of a percent, by region and half-hour; null where none was given.';
COMMENT ON COLUMN raw.regional_vintages.imports_tenths IS 'Published share of imports in tenths of a percent, by region and half-hour; null where none was given.';
COMMENT ON COLUMN raw.regional_vintages.gas_tenths IS 'Published share of gas in tenths of a percent, by region and half-hour; null where none was given.';
COMMENT ON COLUMN raw.regional_vintages.nuclear_tenths IS 'Published share of nuclear in tenths of a percent, by region and half-hour; null where none was given.';
COMMENT ON COLUMN raw.regional_vintages.other_tenths IS 'Published share of other in tenths of a percent, by region and half-hour; null where none was given.';
COMMENT ON COLUMN raw.regional_vintages.hydro_tenths IS 'Published share of hydro in tenths of a percent, by region and half-hour; null where none was given.';
COMMENT ON COLUMN raw.regional_vintages.solar_tenths IS 'Published share of solar in tenths of a percent, by region and half-hour; null where none was given.';
COMMENT ON COLUMN raw.regional_vintages.wind_tenths IS 'Published share of wind in tenths of a percent, by region and half-hour; null where none was given.';
COMMENT ON COLUMN raw.regional_vintages.unknown_pct IS 'Published shares of fuels that are not one of the nine, %: a list of region_id, period_start, fuel and pct.';

CREATE VIEW raw.regional_forecast AS
SELECT vintage.issued_at, region.region_id,
       vintage.starts_at + (cell.step - 1) * interval '30 minutes' AS period_start,
       0.1 * cell.forecast AS forecast_gco2_kwh,
       0.1 * cell.biomass AS biomass_pct, 0.1 * cell.coal AS coal_pct,
       0.1 * cell.imports AS imports_pct, 0.1 * cell.gas AS gas_pct,
       0.1 * cell.nuclear AS nuclear_pct, 0.1 * cell.other AS other_pct,
       0.1 * cell.hydro AS hydro_pct, 0.1 * cell.solar AS solar_pct,
       0.1 * cell.wind AS wind_pct,
       vintage.simulated
FROM raw.regional_vintages AS vintage
CROSS JOIN core.regions AS region
CROSS JOIN LATERAL unnest(
    vintage.forecast_tenths[region.region_id:region.region_id], vintage.biomass_tenths[region.region_id:region.region_id],
    vintage.coal_tenths[region.region_id:region.region_id], vintage.imports_tenths[region.region_id:region.region_id],
    vintage.gas_tenths[region.region_id:region.region_id], vintage.nuclear_tenths[region.region_id:region.region_id],
    vintage.other_tenths[region.region_id:region.region_id], vintage.hydro_tenths[region.region_id:region.region_id],
    vintage.solar_tenths[region.region_id:region.region_id], vintage.wind_tenths[region.region_id:region.region_id])
    WITH ORDINALITY AS cell (forecast, biomass, coal, imports, gas, nuclear, other, hydro, solar, wind, step)
WHERE num_nonnulls(cell.forecast, cell.biomass, cell.coal, cell.imports, cell.gas, cell.nuclear, cell.other,
                   cell.hydro, cell.solar, cell.wind) > 0;
COMMENT ON VIEW raw.regional_forecast IS 'NESO''s 48-hour forecasts by region as captured: one row per capture, region and half-hour. Filter by issued_at, which reaches the index.';
COMMENT ON COLUMN raw.regional_forecast.issued_at IS 'When the forecast was captured; NESO publishes no issue time.';
COMMENT ON COLUMN raw.regional_forecast.region_id IS 'Region, 1 to 18: core.regions.';
COMMENT ON COLUMN raw.regional_forecast.period_start IS 'Start of the forecast half-hour, UTC.';
COMMENT ON COLUMN raw.regional_forecast.forecast_gco2_kwh IS 'Published forecast, gCO2/kWh, of what is consumed in the region.';
COMMENT ON COLUMN raw.regional_forecast.biomass_pct IS 'Published share of biomass, %; null where none was given.';
COMMENT ON COLUMN raw.regional_forecast.coal_pct IS 'Published share of coal, %; null where none was given.';
COMMENT ON COLUMN raw.regional_forecast.imports_pct IS 'Published share of imports, %; null where none was given.';
COMMENT ON COLUMN raw.regional_forecast.gas_pct IS 'Published share of gas, %; null where none was given.';
COMMENT ON COLUMN raw.regional_forecast.nuclear_pct IS 'Published share of nuclear, %; null where none was given.';
COMMENT ON COLUMN raw.regional_forecast.other_pct IS 'Published share of other, %; null where none was given.';
COMMENT ON COLUMN raw.regional_forecast.hydro_pct IS 'Published share of hydro, %; null where none was given.';
COMMENT ON COLUMN raw.regional_forecast.solar_pct IS 'Published share of solar, %; null where none was given.';
COMMENT ON COLUMN raw.regional_forecast.wind_pct IS 'Published share of wind, %; null where none was given.';
COMMENT ON COLUMN raw.regional_forecast.simulated IS 'True where the recorded API derived the forecast from national values: it was never published.';

-- core.regional_intensity: one row is one region and half-hour that has begun. Unique: region_id,
-- period_start. A re-run rewrites only rows that changed. The rule of cleaning is that of
-- core.intensity. A value that was published stays if the API later leaves it out.
CREATE TABLE core.regional_intensity (
    region_id          smallint    NOT NULL,
    simulated          boolean     NOT NULL DEFAULT false,
    period_start       timestamptz NOT NULL,
    intensity_gco2_kwh numeric,
    intensity_index    text,
    intensity_reason   text,
    captured_at        timestamptz,
    CONSTRAINT regional_intensity_pk PRIMARY KEY (region_id, period_start),
    CONSTRAINT regional_intensity_of_a_region FOREIGN KEY (region_id) REFERENCES core.regions,
    CONSTRAINT regional_intensity_on_the_half_hour CHECK (mod(extract(epoch FROM period_start), 1800) = 0),
    CONSTRAINT intensity_plausible CHECK (intensity_gco2_kwh BETWEEN 0 AND 1000),
    CONSTRAINT intensity_reason_beside_null CHECK (intensity_reason IS NULL OR intensity_gco2_kwh IS NULL)
);
COMMENT ON TABLE core.regional_intensity IS 'Carbon intensity of what each region consumes: one row per region and half-hour that has begun. It is the API''s own estimate; no actual is published for regions.';
COMMENT ON COLUMN core.regional_intensity.region_id IS 'Region, 1 to 18: core.regions.';
COMMENT ON COLUMN core.regional_intensity.simulated IS 'True where the recorded API derived the value from national ones: it was never published.';
COMMENT ON COLUMN core.regional_intensity.period_start IS 'Start of the half-hour, UTC.';
COMMENT ON COLUMN core.regional_intensity.intensity_gco2_kwh IS 'Newest published value, gCO2/kWh: a forecast at first, later NESO''s estimate of what happened. 0 is a value.';
COMMENT ON COLUMN core.regional_intensity.intensity_index IS 'Published class: very low, low, moderate, high, very high; the limits are the national ones.';
COMMENT ON COLUMN core.regional_intensity.intensity_reason IS 'Why a published value was set to null; null where it was not.';
COMMENT ON COLUMN core.regional_intensity.captured_at IS 'Capture in raw.regional that the row comes from; null for a row that another program wrote.';

-- core.regional_mix: one row is one region and half-hour; its shares sum to exactly 100, by
-- construction, as in core.generation_mix. Unique: region_id, period_start. A re-run rewrites only
-- rows that changed.
CREATE TABLE core.regional_mix (
    region_id           smallint      NOT NULL,
    simulated           boolean       NOT NULL DEFAULT false,
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
    CONSTRAINT regional_mix_pk PRIMARY KEY (region_id, period_start),
    CONSTRAINT regional_mix_of_a_region FOREIGN KEY (region_id) REFERENCES core.regions,
    CONSTRAINT regional_mix_on_the_half_hour CHECK (mod(extract(epoch FROM period_start), 1800) = 0),
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
COMMENT ON TABLE core.regional_mix IS 'Generation mix of what each region consumes: one row per region and half-hour that has begun; shares sum to exactly 100.';
COMMENT ON COLUMN core.regional_mix.region_id IS 'Region, 1 to 18: core.regions.';
COMMENT ON COLUMN core.regional_mix.simulated IS 'True where the recorded API derived the shares from national ones: they were never published.';
COMMENT ON COLUMN core.regional_mix.period_start IS 'Start of the half-hour, UTC.';
COMMENT ON COLUMN core.regional_mix.biomass_pct IS 'Share of biomass, %; null where the source gave none, its power is then in other.';
COMMENT ON COLUMN core.regional_mix.coal_pct IS 'Share of coal, %; null where the source gave none, its power is then in other.';
COMMENT ON COLUMN core.regional_mix.imports_pct IS 'Share of imports from abroad, %; null where the source gave none, its power is then in other.';
COMMENT ON COLUMN core.regional_mix.gas_pct IS 'Share of gas, %; null where the source gave none, its power is then in other.';
COMMENT ON COLUMN core.regional_mix.nuclear_pct IS 'Share of nuclear, %; null where the source gave none, its power is then in other.';
COMMENT ON COLUMN core.regional_mix.other_pct IS 'Share of everything else, %: 100 minus the eight named fuels.';
COMMENT ON COLUMN core.regional_mix.hydro_pct IS 'Share of hydro, %; null where the source gave none, its power is then in other.';
COMMENT ON COLUMN core.regional_mix.solar_pct IS 'Share of solar, %; null where the source gave none, its power is then in other.';
COMMENT ON COLUMN core.regional_mix.wind_pct IS 'Share of wind, %; null where the source gave none, its power is then in other.';
COMMENT ON COLUMN core.regional_mix.published_total_pct IS 'Sum of all shares as published, %; 99.8 to 100.2 by rounding.';
COMMENT ON COLUMN core.regional_mix.adjustment IS 'none, other_completed (other became the rest to 100), or scaled_to_100 (named fuels exceeded 100 by rounding).';
COMMENT ON COLUMN core.regional_mix.captured_at IS 'Capture in raw.regional that the row comes from; null for a row that another program wrote.';

-- A half-hour that has not begun is in core only if a clock was wrong; of the regions by a function
-- of their own, so that national telemetry never waits for them.
CREATE FUNCTION core.remove_unbegun_regions() RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- each region's part of the index is looked up by itself
    regions constant smallint[] := ARRAY(SELECT region_id FROM core.regions);
    removed bigint;
    total   bigint;
BEGIN
    DELETE FROM core.regional_intensity WHERE region_id = ANY (regions) AND period_start > now();
    GET DIAGNOSTICS total = ROW_COUNT;
    DELETE FROM core.regional_mix WHERE region_id = ANY (regions) AND period_start > now();
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN total + removed;
END
$$;
COMMENT ON FUNCTION core.remove_unbegun_regions() IS
    'Removes the half-hours of regions in core that have not begun by the clock of the database; returns how many.';

-- Rows of raw are only added; what a vintage lacks because it was quarantined can still be filled in.
CREATE FUNCTION raw.complete_regional_vintage(
    vintage timestamptz, region smallint, period_start timestamptz, tenths smallint[]
) RETURNS boolean
    LANGUAGE plpgsql VOLATILE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    step integer;
BEGIN
    SELECT 1 + (extract(epoch FROM complete_regional_vintage.period_start - v.starts_at) / 1800)::integer INTO step
    FROM raw.regional_vintages AS v
    WHERE v.issued_at = vintage AND region BETWEEN 1 AND array_length(v.forecast_tenths, 1);
    UPDATE raw.regional_vintages AS v SET
        forecast_tenths[region][step] = tenths[1],
        biomass_tenths[region][step] = tenths[2],
        coal_tenths[region][step] = tenths[3],
        imports_tenths[region][step] = tenths[4],
        gas_tenths[region][step] = tenths[5],
        nuclear_tenths[region][step] = tenths[6],
        other_tenths[region][step] = tenths[7],
        hydro_tenths[region][step] = tenths[8],
        solar_tenths[region][step] = tenths[9],
        wind_tenths[region][step] = tenths[10]
    WHERE v.issued_at = vintage AND step BETWEEN 1 AND array_length(v.forecast_tenths, 2)
      AND num_nonnulls(v.forecast_tenths[region][step], v.biomass_tenths[region][step], v.coal_tenths[region][step],
                       v.imports_tenths[region][step], v.gas_tenths[region][step], v.nuclear_tenths[region][step],
                       v.other_tenths[region][step], v.hydro_tenths[region][step], v.solar_tenths[region][step],
                       v.wind_tenths[region][step]) = 0;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION raw.complete_regional_vintage(timestamptz, smallint, timestamptz, smallint[]) IS
    'Fills in one half-hour of one region of a captured forecast that has no value there: ten values in tenths, in the order of raw.regional_vintages; returns whether it did.';
