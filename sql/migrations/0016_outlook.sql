-- What others publish about the next days (wind, embedded wind and solar, demand), and generation by
-- fuel from Elexon. docs/decisions/0038 has the rules and the sizes.

-- raw.outlook_publications: one row is one series of one publication as captured; values_mw has an
-- element for each step from first_label on. Unique: source, series, published_at, captured_at. A
-- row is added only if its values differ from the capture before it. Nothing updates or deletes.
CREATE TABLE raw.outlook_publications (
    source       text        NOT NULL,
    series       text        NOT NULL,
    published_at timestamptz NOT NULL,
    captured_at  timestamptz NOT NULL,
    first_label  timestamptz NOT NULL,
    minutes      smallint    NOT NULL,
    simulated    boolean     NOT NULL DEFAULT false,
    values_mw    real[]      NOT NULL,
    CONSTRAINT outlook_publications_pk PRIMARY KEY (source, series, published_at, captured_at),
    CONSTRAINT outlook_publications_series_known CHECK (
        series IN ('demand_mw', 'wind_mw', 'embedded_wind_mw', 'embedded_solar_mw')),
    CONSTRAINT outlook_publications_minutes_known CHECK (minutes IN (30, 60)),
    CONSTRAINT outlook_publications_on_the_step CHECK (mod(extract(epoch FROM first_label), minutes * 60) = 0),
    CONSTRAINT outlook_publications_shape CHECK (
        array_ndims(values_mw) = 1 AND array_lower(values_mw, 1) = 1 AND cardinality(values_mw) BETWEEN 1 AND 1488)
);
COMMENT ON TABLE raw.outlook_publications IS 'Publications about the next days as captured, in arrays: one row per series, publication and change. raw.outlook shows their values one by one.';
COMMENT ON COLUMN raw.outlook_publications.source IS 'Dataset, such as elexon_windfor.';
COMMENT ON COLUMN raw.outlook_publications.series IS 'demand_mw, wind_mw (metered wind farms), embedded_wind_mw or embedded_solar_mw.';
COMMENT ON COLUMN raw.outlook_publications.published_at IS 'When the source published it, UTC, as the source says; the time of capture if it does not say.';
COMMENT ON COLUMN raw.outlook_publications.captured_at IS 'When the response was received, by the clock of the machine that received it.';
COMMENT ON COLUMN raw.outlook_publications.first_label IS 'Label of the first value, UTC, as published; whether a label is the start or the end of its step depends on the source.';
COMMENT ON COLUMN raw.outlook_publications.minutes IS 'Length of a step in minutes: 30 or 60.';
COMMENT ON COLUMN raw.outlook_publications.simulated IS 'True where a recorded source simulated the values: they say nothing about the source''s accuracy.';
COMMENT ON COLUMN raw.outlook_publications.values_mw IS 'Published values, MW, by step from first_label on; null where there was none.';

-- raw.outlook: one row is one step of one publication, labelled as published.
CREATE VIEW raw.outlook AS
SELECT p.source, p.series, p.published_at, p.captured_at,
       p.first_label + (cell.step - 1) * p.minutes * interval '1 minute' AS period_start,
       cell.value_mw, p.minutes, p.simulated
FROM raw.outlook_publications AS p
CROSS JOIN LATERAL unnest(p.values_mw) WITH ORDINALITY AS cell (value_mw, step)
WHERE cell.value_mw IS NOT NULL;
COMMENT ON VIEW raw.outlook IS 'Published values about the next days: one row per publication, change and step. Filter by source, series and published_at, which reach the key of raw.outlook_publications.';
COMMENT ON COLUMN raw.outlook.source IS 'Dataset, such as elexon_windfor.';
COMMENT ON COLUMN raw.outlook.series IS 'demand_mw, wind_mw (metered wind farms), embedded_wind_mw or embedded_solar_mw.';
COMMENT ON COLUMN raw.outlook.published_at IS 'When the source published it, UTC, as the source says; the time of capture if it does not say.';
COMMENT ON COLUMN raw.outlook.captured_at IS 'When the response was received, by the clock of the machine that received it.';
COMMENT ON COLUMN raw.outlook.period_start IS 'Label of the step, UTC, as published. Of elexon_windfor it is the end of an hour; core.outlook has true half-hours.';
COMMENT ON COLUMN raw.outlook.value_mw IS 'Published value, MW.';
COMMENT ON COLUMN raw.outlook.minutes IS 'Length of a step in minutes: 30 or 60.';
COMMENT ON COLUMN raw.outlook.simulated IS 'True where a recorded source simulated the values: they say nothing about the source''s accuracy.';

-- raw.elexon_generation: one row is one half-hour as published by Elexon at one capture. Unique:
-- (period_start, captured_at). A row is added only if its values differ from the last one received.
CREATE TABLE raw.elexon_generation (
    period_start  timestamptz NOT NULL,
    captured_at   timestamptz NOT NULL,
    published_at  timestamptz,
    generation_mw jsonb       NOT NULL DEFAULT '{}',
    demand_mw     integer,
    arrival       bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    CONSTRAINT elexon_generation_pk PRIMARY KEY (period_start, captured_at),
    CONSTRAINT elexon_generation_on_the_half_hour CHECK (mod(extract(epoch FROM period_start), 1800) = 0),
    CONSTRAINT elexon_generation_is_by_fuel CHECK (jsonb_typeof(generation_mw) = 'object')
);
COMMENT ON TABLE raw.elexon_generation IS 'Generation by fuel and demand as Elexon published them, one row for each change of a half-hour.';
COMMENT ON COLUMN raw.elexon_generation.period_start IS 'Start of the half-hour, UTC.';
COMMENT ON COLUMN raw.elexon_generation.captured_at IS 'When the response was received, by the clock of the machine that received it.';
COMMENT ON COLUMN raw.elexon_generation.published_at IS 'Time of publication as Elexon labels it: the end of the half-hour.';
COMMENT ON COLUMN raw.elexon_generation.generation_mw IS 'Mean generation of the half-hour, MW, by fuel as Elexon names it; imports positive, exports and pumping negative.';
COMMENT ON COLUMN raw.elexon_generation.demand_mw IS 'Initial national demand outturn (INDO), MW; null until published.';
COMMENT ON COLUMN raw.elexon_generation.arrival IS 'Order in which rows were received; of a half-hour, the row with the largest is the newest.';

-- raw.embedded_generation: one row is one half-hour of NESO's estimate at one capture, by the rules
-- of raw.elexon_generation.
CREATE TABLE raw.embedded_generation (
    period_start      timestamptz NOT NULL,
    captured_at       timestamptz NOT NULL,
    embedded_wind_mw  integer,
    embedded_solar_mw integer,
    arrival           bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    CONSTRAINT embedded_generation_pk PRIMARY KEY (period_start, captured_at),
    CONSTRAINT embedded_generation_on_the_half_hour CHECK (mod(extract(epoch FROM period_start), 1800) = 0)
);
COMMENT ON TABLE raw.embedded_generation IS 'NESO''s estimates of embedded wind and solar generation as published, one row for each change of a half-hour.';
COMMENT ON COLUMN raw.embedded_generation.period_start IS 'Start of the half-hour, UTC.';
COMMENT ON COLUMN raw.embedded_generation.captured_at IS 'When the response was received, by the clock of the machine that received it.';
COMMENT ON COLUMN raw.embedded_generation.embedded_wind_mw IS 'Estimated generation of wind farms on the distribution networks, MW.';
COMMENT ON COLUMN raw.embedded_generation.embedded_solar_mw IS 'Estimated solar generation, MW; all of it is on the distribution networks.';
COMMENT ON COLUMN raw.embedded_generation.arrival IS 'Order in which rows were received; of a half-hour, the row with the largest is the newest.';

-- core.outlook_sources: one row is one source that a series is read from. Of two sources that have a
-- value, the one with the later published_at + head_start counts: a preferred one loses to another
-- only when it is older by more than the difference.
CREATE VIEW core.outlook_sources AS
SELECT series, source, head_start
FROM (VALUES ('demand_mw',         'elexon_ndf',               interval '48 hours'),
             ('demand_mw',         'neso_day_ahead_demand',    interval '24 hours'),
             ('demand_mw',         'neso_demand_2_14_days',    interval '0'),
             ('wind_mw',           'elexon_windfor',           interval '24 hours'),
             ('wind_mw',           'neso_day_ahead_wind',      interval '0'),
             ('embedded_wind_mw',  'neso_embedded',            interval '0'),
             ('embedded_solar_mw', 'neso_embedded',            interval '0')
     ) AS known (series, source, head_start);
COMMENT ON VIEW core.outlook_sources IS 'The sources of each series of the outlook, and how far each is preferred.';
COMMENT ON COLUMN core.outlook_sources.series IS 'demand_mw, wind_mw (metered wind farms), embedded_wind_mw or embedded_solar_mw.';
COMMENT ON COLUMN core.outlook_sources.source IS 'Dataset, such as elexon_windfor.';
COMMENT ON COLUMN core.outlook_sources.head_start IS 'Added to the time of publication where sources are compared: the later sum counts.';

-- core.outlook: one row is one series of one publication, in true half-hours that had not begun when
-- it became known. Unique: series, source, published_at, captured_at, as in raw. A re-run rewrites
-- only rows that changed.
CREATE TABLE core.outlook (
    series       text        NOT NULL,
    source       text        NOT NULL,
    published_at timestamptz NOT NULL,
    captured_at  timestamptz NOT NULL,
    known_from   timestamptz NOT NULL,
    starts_at    timestamptz NOT NULL,
    suspect      boolean     NOT NULL DEFAULT false,
    simulated    boolean     NOT NULL DEFAULT false,
    value_mw     real[]      NOT NULL,
    is_whole     boolean     NOT NULL GENERATED ALWAYS AS (array_position(value_mw, NULL) IS NULL) STORED,
    reason       text,
    CONSTRAINT outlook_pk PRIMARY KEY (series, source, published_at, captured_at),
    CONSTRAINT outlook_series_known CHECK (
        series IN ('demand_mw', 'wind_mw', 'embedded_wind_mw', 'embedded_solar_mw')),
    CONSTRAINT outlook_on_the_half_hour CHECK (mod(extract(epoch FROM starts_at), 1800) = 0),
    CONSTRAINT outlook_not_begun CHECK (starts_at >= known_from),
    -- an empty array has no dimensions
    CONSTRAINT outlook_shape CHECK (coalesce(array_ndims(value_mw) = 1 AND array_lower(value_mw, 1) = 1, true)),
    CONSTRAINT outlook_plausible CHECK (0 <= ALL (value_mw) AND 100000 >= ALL (value_mw)),
    CONSTRAINT outlook_reason_of_suspect CHECK (suspect = (reason IS NOT NULL))
);
-- In the row and not compressed: core.outlook_as_known_at reads a few elements of many rows.
ALTER TABLE core.outlook ALTER COLUMN value_mw SET STORAGE PLAIN;
CREATE INDEX outlook_by_known_from ON core.outlook (series, source, known_from);
COMMENT ON TABLE core.outlook IS 'Publications about the next days in true half-hours: one row per series, publication and change.';
COMMENT ON COLUMN core.outlook.series IS 'demand_mw, wind_mw (metered wind farms), embedded_wind_mw or embedded_solar_mw.';
COMMENT ON COLUMN core.outlook.source IS 'Dataset, such as elexon_windfor.';
COMMENT ON COLUMN core.outlook.published_at IS 'When the source published it, UTC.';
COMMENT ON COLUMN core.outlook.captured_at IS 'Capture in raw.outlook_publications that the row comes from.';
COMMENT ON COLUMN core.outlook.known_from IS 'From when the values were known, UTC: published_at, or captured_at for values that replaced others, and for a publication stamped later than its capture.';
COMMENT ON COLUMN core.outlook.starts_at IS 'Start of the first half-hour of the array, UTC.';
COMMENT ON COLUMN core.outlook.suspect IS 'True where the publication is used only for half-hours that no other covers; reason says why.';
COMMENT ON COLUMN core.outlook.simulated IS 'True where a recorded source simulated the values: they say nothing about the source''s accuracy.';
COMMENT ON COLUMN core.outlook.value_mw IS 'Values, MW, by half-hour from starts_at on, for at most seven days; null where none was published.';
COMMENT ON COLUMN core.outlook.is_whole IS 'Whether no half-hour of the array lacks its value.';
COMMENT ON COLUMN core.outlook.reason IS 'Why the publication is suspect; null where it is not.';

-- For each half-hour from eight days before `at` on: the newest value that was known then, and before
-- the half-hour began. Of the publications of one source only those elements are read that the next
-- one does not replace: all, if the next one is suspect or has holes.
CREATE FUNCTION core.outlook_as_known_at(at timestamptz)
    RETURNS TABLE (series text, period_start timestamptz, published_at timestamptz, value_mw real,
                   source text, known_from timestamptz, suspect boolean, simulated boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT asked.series, newest.period_start, newest.published_at, newest.value_mw,
               newest.source, newest.known_from, newest.suspect, newest.simulated
        FROM (SELECT DISTINCT s.series FROM core.outlook_sources AS s) AS asked
        CROSS JOIN LATERAL (
            SELECT DISTINCT ON (period_start)
                   o.starts_at + (part.first + cell.step - 1) * interval '30 minutes' AS period_start,
                   o.published_at, cell.value_mw, o.source, o.known_from, o.suspect, o.simulated
            FROM core.outlook_sources AS preferred
            CROSS JOIN LATERAL (
                SELECT k.source, k.published_at, k.known_from, k.starts_at, k.suspect, k.simulated, k.value_mw,
                       cardinality(k.value_mw) AS steps,
                       (date_part('epoch', outlook_as_known_at.at - interval '192 hours' - k.starts_at) / 1800)::integer AS oldest,
                       CASE WHEN lead(k.is_whole AND NOT k.suspect) OVER later
                            THEN (date_part('epoch', lead(k.starts_at) OVER later - k.starts_at) / 1800)::integer
                       END AS next_from,
                       lead(cardinality(k.value_mw)) OVER later AS next_steps
                FROM core.outlook AS k
                WHERE k.series = asked.series AND k.source = preferred.source
                  AND k.known_from <= outlook_as_known_at.at
                  AND k.known_from > outlook_as_known_at.at - interval '240 hours'
                WINDOW later AS (ORDER BY k.published_at, k.known_from)
            ) AS o
            CROSS JOIN LATERAL (
                SELECT greatest(o.oldest, 0) AS first, least(o.next_from, o.steps) AS past
                UNION ALL
                SELECT greatest(o.next_from + o.next_steps, o.oldest, 0), o.steps
                WHERE o.next_from + o.next_steps < o.steps
                OFFSET 0
            ) AS part
            CROSS JOIN LATERAL unnest(o.value_mw[part.first + 1:part.past]) WITH ORDINALITY AS cell (value_mw, step)
            WHERE preferred.series = asked.series AND part.first < part.past AND cell.value_mw IS NOT NULL
            ORDER BY period_start, o.suspect, o.published_at + preferred.head_start DESC,
                     preferred.head_start DESC, o.known_from DESC
        ) AS newest;
    END;
COMMENT ON FUNCTION core.outlook_as_known_at(timestamptz) IS
    'For each series and half-hour, from 192 hours before an instant to the end of what was known then: the newest value published by then and before the half-hour began. Columns as in core.outlook; period_start is the start of the half-hour, value_mw its value. Publications of the 240 hours before the instant count.';

-- core.generation_mw: one row is one half-hour with generation by fuel, and the carbon intensity
-- recomputed from it. Unique: period_start. A re-run rewrites only rows that changed.
CREATE TABLE core.generation_mw (
    period_start        timestamptz NOT NULL,
    biomass_mw          integer,
    coal_mw             integer,
    imports_mw          integer,
    gas_mw              integer,
    nuclear_mw          integer,
    other_mw            integer,
    hydro_mw            integer,
    solar_mw            integer,
    wind_mw             integer,
    demand_mw           integer,
    recomputed_gco2_kwh numeric(5, 1),
    metered_wind_mw     integer,
    embedded_wind_mw    integer,
    embedded_known_by   text,
    reason              text,
    captured_at         timestamptz,
    CONSTRAINT generation_mw_pk PRIMARY KEY (period_start),
    CONSTRAINT generation_mw_on_the_half_hour CHECK (mod(extract(epoch FROM period_start), 1800) = 0),
    CONSTRAINT generation_mw_in_range CHECK (
        least(biomass_mw, coal_mw, imports_mw, gas_mw, nuclear_mw, other_mw, hydro_mw, solar_mw, wind_mw,
              metered_wind_mw, embedded_wind_mw) >= 0
        AND greatest(biomass_mw, coal_mw, imports_mw, gas_mw, nuclear_mw, other_mw, hydro_mw, solar_mw,
                     wind_mw, metered_wind_mw, embedded_wind_mw) <= 100000),
    CONSTRAINT recomputed_plausible CHECK (recomputed_gco2_kwh BETWEEN 0 AND 1000),
    CONSTRAINT recomputed_from_all_fuels CHECK (
        recomputed_gco2_kwh IS NULL
        OR num_nulls(biomass_mw, coal_mw, imports_mw, gas_mw, nuclear_mw, other_mw, hydro_mw, solar_mw,
                     wind_mw) = 0),
    CONSTRAINT embedded_known_by_known CHECK (embedded_known_by IN ('estimate', 'forecast'))
);
COMMENT ON TABLE core.generation_mw IS 'Generation by fuel from Elexon and NESO''s embedded estimates, and the carbon intensity recomputed from it: a second measurement beside core.intensity and core.generation_mix, never mixed with them.';
COMMENT ON COLUMN core.generation_mw.period_start IS 'Start of the half-hour, UTC.';
COMMENT ON COLUMN core.generation_mw.biomass_mw IS 'Generation from biomass, MW.';
COMMENT ON COLUMN core.generation_mw.coal_mw IS 'Generation from coal, MW.';
COMMENT ON COLUMN core.generation_mw.imports_mw IS 'Sum of the interconnectors that import, MW; exports count as 0.';
COMMENT ON COLUMN core.generation_mw.gas_mw IS 'Generation from gas (CCGT and OCGT), MW.';
COMMENT ON COLUMN core.generation_mw.nuclear_mw IS 'Nuclear generation, MW.';
COMMENT ON COLUMN core.generation_mw.other_mw IS 'Other generation, oil and pumped storage, MW; pumping counts as 0.';
COMMENT ON COLUMN core.generation_mw.hydro_mw IS 'Hydro without pumped storage, MW.';
COMMENT ON COLUMN core.generation_mw.solar_mw IS 'Solar generation, MW, as embedded_known_by says; null where neither is known.';
COMMENT ON COLUMN core.generation_mw.wind_mw IS 'Metered and embedded wind generation, MW; null where one of them is not known.';
COMMENT ON COLUMN core.generation_mw.demand_mw IS 'Initial national demand outturn (INDO), MW: what the transmission network supplies, without what embedded plants generate.';
COMMENT ON COLUMN core.generation_mw.recomputed_gco2_kwh IS 'Carbon intensity recomputed from the generation by fuel with the published factors, gCO2/kWh; null where any fuel is null.';
COMMENT ON COLUMN core.generation_mw.metered_wind_mw IS 'Generation of metered wind farms, MW: what the series wind_mw of the outlook forecasts.';
COMMENT ON COLUMN core.generation_mw.embedded_wind_mw IS 'Generation of embedded wind farms, MW, as embedded_known_by says.';
COMMENT ON COLUMN core.generation_mw.embedded_known_by IS 'estimate (raw.embedded_generation) or forecast (the last one published before the half-hour began, until there is an estimate); null where neither is known.';
COMMENT ON COLUMN core.generation_mw.reason IS 'Why a published value was set to null; null where it was not.';
COMMENT ON COLUMN core.generation_mw.captured_at IS 'Capture in raw.elexon_generation that the row comes from.';

-- Values of half-hours that have not begun are in core only if a clock was wrong.
CREATE OR REPLACE FUNCTION core.remove_unbegun() RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed bigint;
    total   bigint := 0;
BEGIN
    DELETE FROM core.intensity WHERE period_start > now();
    GET DIAGNOSTICS removed = ROW_COUNT;
    total := total + removed;
    DELETE FROM core.generation_mix WHERE period_start > now();
    GET DIAGNOSTICS removed = ROW_COUNT;
    total := total + removed;
    DELETE FROM core.generation_mw WHERE period_start > now();
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN total + removed;
END
$$;
