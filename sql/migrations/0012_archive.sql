-- Forecasts and NESO's vintages as arrays, one row per issue, and the newest forecast of each
-- half-hour as a table; docs/decisions/0031 has the measurements. What exists in rows stays in
-- forecast.unmoved_predictions and raw.unmoved_neso_forecast: `grid migrate` then moves it day by
-- day, and 0013 drops them. Until then forecast.predictions and raw.neso_forecast read both.

-- Waits for a writer's open transaction: what it commits is then moved too.
LOCK TABLE raw.neso_forecast, forecast.predictions, forecast.calibration IN ACCESS EXCLUSIVE MODE;

DROP TRIGGER predictions_have_targets ON forecast.predictions;
DROP TRIGGER predictions_keep_targets ON forecast.predictions;
DROP FUNCTION forecast.note_targets();
DROP FUNCTION forecast.thin_predictions(timestamptz, interval[]);
DROP FUNCTION forecast.streams();

ALTER TABLE forecast.predictions RENAME TO unmoved_predictions;
ALTER INDEX forecast.predictions_pk RENAME TO unmoved_predictions_pk;
ALTER TABLE raw.neso_forecast RENAME TO unmoved_neso_forecast;
ALTER INDEX raw.neso_forecast_pk RENAME TO unmoved_neso_forecast_pk;

-- ops.moving: one row is one relation whose rows are being moved. Rows issued before moved_to have
-- been copied. Copying a day moves it on in the same transaction, so a killed migration resumes.
CREATE TABLE ops.moving (
    relation text        NOT NULL,
    moved_to timestamptz NOT NULL,
    CONSTRAINT moving_pk PRIMARY KEY (relation)
);
INSERT INTO ops.moving VALUES ('forecast.predictions', '-infinity'), ('raw.neso_forecast', '-infinity');
COMMENT ON TABLE ops.moving IS 'Relations whose rows are being moved to a new table; no row when that is done.';
COMMENT ON COLUMN ops.moving.relation IS 'Name of the relation.';
COMMENT ON COLUMN ops.moving.moved_to IS 'Rows issued before this instant have been copied.';

-- The ten series, in the order in which the arrays hold them.
CREATE VIEW forecast.series AS
SELECT ordinal, series
FROM (VALUES (1, 'carbon_intensity'), (2, 'biomass'), (3, 'coal'), (4, 'imports'), (5, 'gas'),
             (6, 'nuclear'), (7, 'other'), (8, 'hydro'), (9, 'solar'), (10, 'wind')
     ) AS known (ordinal, series);
COMMENT ON VIEW forecast.series IS 'The ten series in the order in which forecast.archive holds them.';
COMMENT ON COLUMN forecast.series.ordinal IS 'Place of the series in the arrays of forecast.archive.';
COMMENT ON COLUMN forecast.series.series IS 'carbon_intensity, or one of the nine fuels.';

-- Whether every forecast in a row of forecast.archive has its quantiles in order and in range, and
-- both edges of its band or none. The first series reaches 1000 gCO2/kWh, the others 100 %.
CREATE FUNCTION forecast.is_in_range(below smallint[], p50 smallint[], above smallint[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (
        SELECT coalesce(bool_and(
            (cell.lower IS NULL) = (cell.upper IS NULL)
            AND CASE WHEN cell.median IS NULL THEN cell.lower IS NULL
                     ELSE coalesce(cell.lower, 0) BETWEEN 0 AND cell.median
                      AND coalesce(cell.upper, 0) >= 0
                      AND cell.median + coalesce(cell.upper, 0)
                          <= CASE WHEN cell.place <= array_length(p50, 2) THEN 10000 ELSE 1000 END
                END), true)
        FROM unnest(below, p50, above) WITH ORDINALITY AS cell (lower, median, upper, place));
COMMENT ON FUNCTION forecast.is_in_range(smallint[], smallint[], smallint[]) IS
    'Whether the quantiles of a row of forecast.archive are in order and in range.';

-- forecast.archive: one row is one issue of one model, 48 hours of ten series. Unique: model,
-- starts_at, issued_at, part. The arrays have a row for each series, in the order of forecast.series
-- and up to the last one that is forecast, and an element for each half-hour from starts_at on; NULL
-- where there is no forecast. A re-run of an
-- issue replaces its row. An issue has more rows only if another program wrote it: one for each
-- created_at (part 1, 2, …), and one for each further 48 hours.
CREATE TABLE forecast.archive (
    model      text        NOT NULL,
    starts_at  timestamptz NOT NULL,
    issued_at  timestamptz NOT NULL,
    part       smallint    NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    starts_on  date        NOT NULL GENERATED ALWAYS AS ((starts_at AT TIME ZONE 'UTC')::date) STORED,
    simulated  boolean     NOT NULL DEFAULT false,
    below      smallint[],
    p50        smallint[]  NOT NULL,
    above      smallint[],
    raw_p10    real[],
    raw_p90    real[],
    CONSTRAINT archive_pk PRIMARY KEY (model, starts_at, issued_at, part),
    CONSTRAINT archive_on_the_half_hour CHECK (mod(extract(epoch FROM starts_at), 1800) = 0),
    CONSTRAINT archive_not_before_issue CHECK (starts_at >= issued_at),
    CONSTRAINT archive_band_whole CHECK ((below IS NULL) = (above IS NULL)
                                     AND (raw_p10 IS NULL) = (raw_p90 IS NULL)),
    CONSTRAINT archive_shape CHECK (
        array_lower(p50, 1) = 1 AND array_upper(p50, 1) BETWEEN 1 AND 10
        AND array_lower(p50, 2) = 1 AND array_upper(p50, 2) BETWEEN 1 AND 96 AND array_ndims(p50) = 2
        AND coalesce(array_dims(below), array_dims(p50)) = array_dims(p50)
        AND coalesce(array_dims(above), array_dims(p50)) = array_dims(p50)
        AND coalesce(array_dims(raw_p10), array_dims(p50)) = array_dims(p50)
        AND coalesce(array_dims(raw_p90), array_dims(p50)) = array_dims(p50)),
    CONSTRAINT archive_in_range CHECK (forecast.is_in_range(below, p50, above))
) WITH (
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 500,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 500
);
-- Compressed, and in the row: a look-up of one half-hour then reads one page. A row is larger than a
-- quarter of a page, so any other text, such as the model, would be moved out of it.
ALTER TABLE forecast.archive ALTER COLUMN below SET STORAGE MAIN,
    ALTER COLUMN p50 SET STORAGE MAIN, ALTER COLUMN above SET STORAGE MAIN,
    ALTER COLUMN model SET STORAGE PLAIN;
CREATE INDEX archive_by_day ON forecast.archive (starts_on, model, starts_at);
CREATE INDEX archive_by_issue ON forecast.archive (issued_at, model);
COMMENT ON TABLE forecast.archive IS 'Forecasts as issued, in arrays: one row per model and issue. forecast.predictions shows them one by one.';
COMMENT ON COLUMN forecast.archive.model IS 'chronos:<checkpoint>, seasonal_naive or neso.';
COMMENT ON COLUMN forecast.archive.starts_at IS 'Start of the first half-hour of the arrays, UTC: the first one that begins at or after the issue time.';
COMMENT ON COLUMN forecast.archive.issued_at IS 'Issue time, UTC: the half-hour boundary at which the forecast starts; only data published before it was used. For neso, when the forecast was captured.';
COMMENT ON COLUMN forecast.archive.part IS '0; more where another program wrote an issue in several steps.';
COMMENT ON COLUMN forecast.archive.created_at IS 'When the forecast was made; for neso, when it was captured.';
COMMENT ON COLUMN forecast.archive.starts_on IS 'UTC day of starts_at; joins forecasts with what happened.';
COMMENT ON COLUMN forecast.archive.simulated IS 'True for a forecast of neso that the recorded API simulated: it says nothing about NESO''s accuracy.';
COMMENT ON COLUMN forecast.archive.below IS 'How far the 10 % quantile lies below the median, tenths of gCO2/kWh or %; null where the model gives no band.';
COMMENT ON COLUMN forecast.archive.p50 IS 'Medians, tenths of gCO2/kWh or %: up to ten series by up to 96 half-hours.';
COMMENT ON COLUMN forecast.archive.above IS 'How far the 90 % quantile lies above the median, tenths of gCO2/kWh or %; null where the model gives no band.';
COMMENT ON COLUMN forecast.archive.raw_p10 IS '10 % quantiles as the model gave them, gCO2/kWh or %; only in the issues that recalibration reads.';
COMMENT ON COLUMN forecast.archive.raw_p90 IS '90 % quantiles as the model gave them, gCO2/kWh or %; only in the issues that recalibration reads.';

-- forecast.latest: one row is the newest forecast of one half-hour of one series by one model.
-- Unique: those three, in the order in which dashboards ask. Nothing but the triggers writes it.
CREATE TABLE forecast.latest (
    period_start timestamptz   NOT NULL,
    model        text          NOT NULL,
    series       text          NOT NULL,
    issued_at    timestamptz   NOT NULL,
    created_at   timestamptz   NOT NULL,
    p10          numeric(5, 1),
    p50          numeric(5, 1) NOT NULL,
    p90          numeric(5, 1),
    lead_minutes integer       NOT NULL GENERATED ALWAYS AS
                                   ((extract(epoch FROM period_start - issued_at) / 60)::integer) STORED,
    unit         text          NOT NULL GENERATED ALWAYS AS
                                   (CASE series WHEN 'carbon_intensity' THEN 'gCO2/kWh' ELSE '%' END) STORED,
    simulated    boolean       NOT NULL DEFAULT false,
    CONSTRAINT latest_pk PRIMARY KEY (period_start, model, series)
) WITH (
    -- every issue rewrites the next 48 hours: a page keeps room for that, and is soon vacuumed
    fillfactor = 85,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 5000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000
);
COMMENT ON TABLE forecast.latest IS 'The newest forecast of each half-hour of each series, for each model; maintained by triggers.';
COMMENT ON COLUMN forecast.latest.period_start IS 'Start of the forecast half-hour, UTC.';
COMMENT ON COLUMN forecast.latest.model IS 'chronos:<checkpoint>, seasonal_naive or neso.';
COMMENT ON COLUMN forecast.latest.series IS 'carbon_intensity (gCO2/kWh), or one of the nine fuels (%).';
COMMENT ON COLUMN forecast.latest.issued_at IS 'Issue time, UTC: the half-hour boundary at which the forecast starts; only data published before it was used. For neso, when the forecast was captured.';
COMMENT ON COLUMN forecast.latest.created_at IS 'When the row was made; for neso, when it was captured.';
COMMENT ON COLUMN forecast.latest.p10 IS '10 % quantile after recalibration, gCO2/kWh or %; null where the model gives no band.';
COMMENT ON COLUMN forecast.latest.p50 IS 'Median, gCO2/kWh or %; the shares of a half-hour sum to exactly 100.';
COMMENT ON COLUMN forecast.latest.p90 IS '90 % quantile after recalibration, gCO2/kWh or %; null where the model gives no band.';
COMMENT ON COLUMN forecast.latest.lead_minutes IS 'Minutes from issue to the start of the half-hour; never negative.';
COMMENT ON COLUMN forecast.latest.unit IS 'Unit of the values of the series: gCO2/kWh or %.';
COMMENT ON COLUMN forecast.latest.simulated IS 'True for a forecast of neso that the recorded API simulated: it says nothing about NESO''s accuracy.';

-- One look-up for each half-hour that has been forecast, while no writer can add another.
INSERT INTO forecast.latest (period_start, model, series, issued_at, created_at, p10, p50, p90, simulated)
SELECT target.period_start, target.model, target.series,
       newest.issued_at, newest.created_at, newest.p10, newest.p50, newest.p90, newest.simulated
FROM forecast.targets AS target
CROSS JOIN LATERAL (
    SELECT p.issued_at, p.created_at, p.p10, p.p50, p.p90, p.simulated
    FROM forecast.unmoved_predictions AS p
    WHERE p.model = target.model AND p.series = target.series AND p.period_start = target.period_start
      AND p.issued_at <= now() + interval '30 minutes'
    ORDER BY p.issued_at DESC
    LIMIT 1) AS newest
ORDER BY target.period_start, target.model, target.series;

-- forecast.predictions: one row is one quantile forecast of one series for one half-hour.
CREATE VIEW forecast.predictions AS
SELECT issue.model, known.series,
       issue.starts_at + (cell.step - 1) * interval '30 minutes' AS period_start,
       issue.issued_at, issue.created_at,
       (0.1 * (cell.p50 - cell.below))::numeric(5, 1) AS p10,
       (0.1 * cell.p50)::numeric(5, 1) AS p50,
       (0.1 * (cell.p50 + cell.above))::numeric(5, 1) AS p90,
       issue.simulated
FROM forecast.archive AS issue
CROSS JOIN forecast.series AS known
CROSS JOIN LATERAL unnest(issue.below[known.ordinal:known.ordinal], issue.p50[known.ordinal:known.ordinal],
                          issue.above[known.ordinal:known.ordinal])
     WITH ORDINALITY AS cell (below, p50, above, step)
WHERE cell.p50 IS NOT NULL
UNION ALL
SELECT model, series, period_start, issued_at, created_at, p10, p50, p90, simulated
FROM forecast.unmoved_predictions
WHERE issued_at >= (SELECT moved_to FROM ops.moving WHERE relation = 'forecast.predictions');
ALTER VIEW forecast.predictions ALTER COLUMN simulated SET DEFAULT false;
COMMENT ON VIEW forecast.predictions IS 'Forecasts as issued: one row per model, series, issue and half-hour. Filter by issued_at, and by model or series: those reach the index of forecast.archive.';
COMMENT ON COLUMN forecast.predictions.model IS 'chronos:<checkpoint>, seasonal_naive or neso.';
COMMENT ON COLUMN forecast.predictions.series IS 'carbon_intensity (gCO2/kWh), or one of the nine fuels (%).';
COMMENT ON COLUMN forecast.predictions.period_start IS 'Start of the forecast half-hour, UTC.';
COMMENT ON COLUMN forecast.predictions.issued_at IS 'Issue time, UTC: the half-hour boundary at which the forecast starts; only data published before it was used. For neso, when the forecast was captured.';
COMMENT ON COLUMN forecast.predictions.created_at IS 'When the row was made; for neso, when it was captured.';
COMMENT ON COLUMN forecast.predictions.p10 IS '10 % quantile after recalibration, gCO2/kWh or %; null where the model gives no band.';
COMMENT ON COLUMN forecast.predictions.p50 IS 'Median, gCO2/kWh or %; the shares of a half-hour sum to exactly 100.';
COMMENT ON COLUMN forecast.predictions.p90 IS '90 % quantile after recalibration, gCO2/kWh or %; null where the model gives no band.';
COMMENT ON COLUMN forecast.predictions.simulated IS 'True for a forecast of neso that the recorded API simulated: it says nothing about NESO''s accuracy.';

-- forecast.incoming: the rows of one INSERT or COPY into forecast.predictions, until its end. Its
-- constraints are those of a table of predictions. Nothing but the triggers writes it.
CREATE TABLE forecast.incoming (
    model        text          NOT NULL,
    series       text          NOT NULL,
    period_start timestamptz   NOT NULL,
    issued_at    timestamptz   NOT NULL,
    created_at   timestamptz   NOT NULL,
    p10          numeric(5, 1),
    p50          numeric(5, 1) NOT NULL,
    p90          numeric(5, 1),
    simulated    boolean       NOT NULL,
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
COMMENT ON TABLE forecast.incoming IS 'Rows of an INSERT into forecast.predictions, until they are in forecast.archive; empty otherwise.';
COMMENT ON COLUMN forecast.incoming.model IS 'As in forecast.predictions.';
COMMENT ON COLUMN forecast.incoming.series IS 'As in forecast.predictions.';
COMMENT ON COLUMN forecast.incoming.period_start IS 'As in forecast.predictions.';
COMMENT ON COLUMN forecast.incoming.issued_at IS 'As in forecast.predictions.';
COMMENT ON COLUMN forecast.incoming.created_at IS 'As in forecast.predictions.';
COMMENT ON COLUMN forecast.incoming.p10 IS 'As in forecast.predictions.';
COMMENT ON COLUMN forecast.incoming.p50 IS 'As in forecast.predictions.';
COMMENT ON COLUMN forecast.incoming.p90 IS 'As in forecast.predictions.';
COMMENT ON COLUMN forecast.incoming.simulated IS 'As in forecast.predictions.';

-- Writers take turns, so that none misses what another is adding to the same issue.
CREATE FUNCTION forecast.await_incoming() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    LOCK TABLE forecast.incoming IN SHARE ROW EXCLUSIVE MODE;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION forecast.await_incoming() IS 'Waits for another transaction that inserts into forecast.predictions.';

CREATE FUNCTION forecast.take_incoming() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO forecast.incoming (model, series, period_start, issued_at, created_at, p10, p50, p90, simulated)
    VALUES (NEW.model, NEW.series, NEW.period_start, NEW.issued_at, NEW.created_at,
            NEW.p10, NEW.p50, NEW.p90, NEW.simulated);
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION forecast.take_incoming() IS 'Takes a row that is inserted into forecast.predictions.';

CREATE FUNCTION forecast.keep_incoming() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    twice record;
BEGIN
    SELECT i.model, i.series, i.period_start, i.issued_at INTO twice
    FROM (SELECT DISTINCT model, issued_at FROM forecast.incoming) AS issue
    CROSS JOIN LATERAL (
        SELECT p.series, p.period_start FROM forecast.predictions AS p
        WHERE p.model = issue.model AND p.issued_at = issue.issued_at OFFSET 0) AS stored
    JOIN forecast.incoming AS i
      ON (i.model, i.issued_at, i.series, i.period_start)
       = (issue.model, issue.issued_at, stored.series, stored.period_start)
    LIMIT 1;
    IF FOUND THEN
        RAISE unique_violation USING
            MESSAGE = 'duplicate key value violates unique constraint "predictions_pk"',
            DETAIL = format('Key (model, series, period_start, issued_at)=(%s, %s, %s, %s) already exists.',
                            twice.model, twice.series, twice.period_start, twice.issued_at),
            SCHEMA = 'forecast', TABLE = 'predictions', CONSTRAINT = 'predictions_pk';
    END IF;

    WITH cell AS MATERIALIZED (
        -- what is added, and what the rows that it is added to hold
        SELECT i.model, i.issued_at, i.created_at, i.simulated, piece.starts_at,
               1 + (extract(epoch FROM i.period_start - piece.starts_at) / 1800)::integer AS step,
               known.ordinal, (10 * (i.p50 - i.p10))::smallint AS below,
               (10 * i.p50)::smallint AS p50, (10 * (i.p90 - i.p50))::smallint AS above
        FROM forecast.incoming AS i
        JOIN forecast.series AS known USING (series)
        CROSS JOIN LATERAL (SELECT to_timestamp(1800 * ceil(extract(epoch FROM i.issued_at) / 1800))) AS start (at)
        CROSS JOIN LATERAL (SELECT
            date_bin('48 hours', i.period_start, start.at)) AS piece (starts_at)
    ), target AS (
        SELECT DISTINCT ON (model, starts_at, issued_at, created_at, simulated)
               c.model, c.starts_at, c.issued_at, c.created_at, c.simulated, a.part
        FROM cell AS c LEFT JOIN forecast.archive AS a USING (model, starts_at, issued_at, created_at, simulated)
        ORDER BY model, starts_at, issued_at, created_at, simulated, a.part
    ), whole AS (
        SELECT model, starts_at, issued_at, created_at, simulated, step, ordinal, below, p50, above FROM cell
        UNION ALL
        SELECT model, starts_at, issued_at, t.created_at, t.simulated,
               held.place, known.ordinal, held.below, held.p50, held.above
        FROM target AS t
        JOIN forecast.archive AS a USING (model, starts_at, issued_at, part)
        CROSS JOIN forecast.series AS known
        CROSS JOIN LATERAL unnest(a.below[known.ordinal:known.ordinal], a.p50[known.ordinal:known.ordinal],
                                  a.above[known.ordinal:known.ordinal])
             WITH ORDINALITY AS held (below, p50, above, place)
        WHERE held.p50 IS NOT NULL
    ), line AS (
        SELECT model, starts_at, issued_at, created_at, simulated, ordinal,
               array_agg(below ORDER BY step) AS below, array_agg(p50 ORDER BY step) AS p50,
               array_agg(above ORDER BY step) AS above, count(below) AS bands
        FROM (
            -- a union and not a join, which is slow where the planner expects few rows
            SELECT model, starts_at, issued_at, created_at, simulated, ordinal, step,
                   max(below) AS below, max(p50) AS p50, max(above) AS above
            FROM (SELECT model, starts_at, issued_at, created_at, simulated, step, ordinal, below, p50, above
                  FROM whole
                  UNION ALL
                  SELECT model, starts_at, issued_at, created_at, simulated, grid.step, known.ordinal,
                         NULL, NULL, NULL
                  FROM (SELECT model, starts_at, issued_at, created_at, simulated,
                               max(step)::integer AS steps, max(ordinal) AS series
                        FROM whole GROUP BY 1, 2, 3, 4, 5) AS extent
                  JOIN forecast.series AS known ON known.ordinal <= extent.series
                  CROSS JOIN LATERAL generate_series(1, extent.steps) AS grid (step)) AS filled
            GROUP BY model, starts_at, issued_at, created_at, simulated, ordinal, step) AS gapless
        GROUP BY model, starts_at, issued_at, created_at, simulated, ordinal
    ), packed AS (
        SELECT model, starts_at, issued_at, created_at, simulated,
               CASE WHEN sum(bands) > 0 THEN array_agg(below ORDER BY ordinal) END AS below,
               array_agg(p50 ORDER BY ordinal) AS p50,
               CASE WHEN sum(bands) > 0 THEN array_agg(above ORDER BY ordinal) END AS above
        FROM line GROUP BY 1, 2, 3, 4, 5
    ), added_to AS (
        UPDATE forecast.archive AS a
        SET below = packed.below, p50 = packed.p50, above = packed.above,
            raw_p10 = CASE WHEN array_dims(a.p50) = array_dims(packed.p50) THEN a.raw_p10 END,
            raw_p90 = CASE WHEN array_dims(a.p50) = array_dims(packed.p50) THEN a.raw_p90 END
        FROM packed JOIN target USING (model, starts_at, issued_at, created_at, simulated)
        WHERE (a.model, a.starts_at, a.issued_at, a.part)
            = (target.model, target.starts_at, target.issued_at, target.part)
    )
    INSERT INTO forecast.archive (model, starts_at, issued_at, part, created_at, simulated, below, p50, above)
    SELECT model, starts_at, issued_at,
           coalesce((SELECT max(a.part) + 1 FROM forecast.archive AS a
                     WHERE (a.model, a.starts_at, a.issued_at)
                         = (packed.model, packed.starts_at, packed.issued_at)), 0)
           + row_number() OVER (PARTITION BY model, starts_at, issued_at ORDER BY created_at, simulated) - 1,
           created_at, simulated, packed.below, packed.p50, packed.above
    FROM packed JOIN target USING (model, starts_at, issued_at, created_at, simulated)
    WHERE target.part IS NULL;

    DELETE FROM forecast.incoming;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION forecast.keep_incoming() IS 'Adds the rows that were inserted into forecast.predictions to forecast.archive.';

CREATE TRIGGER await_incoming BEFORE INSERT ON forecast.predictions
    FOR EACH STATEMENT EXECUTE FUNCTION forecast.await_incoming();
CREATE TRIGGER take_incoming INSTEAD OF INSERT ON forecast.predictions
    FOR EACH ROW EXECUTE FUNCTION forecast.take_incoming();
CREATE TRIGGER keep_incoming AFTER INSERT ON forecast.predictions
    FOR EACH STATEMENT EXECUTE FUNCTION forecast.keep_incoming();

-- The latest instant at which a forecast that exists now can be issued: the next half-hour. What is
-- issued later comes from a clock that was wrong.
CREATE FUNCTION forecast.latest_issue_time() RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN now() + interval '30 minutes';
COMMENT ON FUNCTION forecast.latest_issue_time() IS 'The latest issue time of a forecast that may be shown now.';

CREATE FUNCTION forecast.note_latest() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    not_after constant timestamptz := forecast.latest_issue_time();
BEGIN
    INSERT INTO forecast.latest AS known
        (period_start, model, series, issued_at, created_at, p10, p50, p90, simulated)
    SELECT DISTINCT ON (period_start, model, series)
           issue.starts_at + (cell.step - 1) * interval '30 minutes' AS period_start, issue.model, s.series,
           issue.issued_at, issue.created_at, 0.1 * (cell.p50 - cell.below), 0.1 * cell.p50,
           0.1 * (cell.p50 + cell.above), issue.simulated
    FROM added AS issue
    CROSS JOIN forecast.series AS s
    CROSS JOIN LATERAL unnest(issue.below[s.ordinal:s.ordinal], issue.p50[s.ordinal:s.ordinal],
                              issue.above[s.ordinal:s.ordinal])
         WITH ORDINALITY AS cell (below, p50, above, step)
    WHERE cell.p50 IS NOT NULL AND issue.issued_at <= not_after
    -- in this order, so that two writers never wait for each other in a circle
    ORDER BY period_start, issue.model, s.series, issue.issued_at DESC
    ON CONFLICT (period_start, model, series) DO UPDATE SET
        issued_at = excluded.issued_at,
        created_at = excluded.created_at,
        p10 = excluded.p10,
        p50 = excluded.p50,
        p90 = excluded.p90,
        simulated = excluded.simulated
    WHERE (excluded.issued_at >= known.issued_at OR known.issued_at > not_after)
      AND (known.issued_at, known.created_at, known.p10, known.p50, known.p90, known.simulated)
          IS DISTINCT FROM
          (excluded.issued_at, excluded.created_at, excluded.p10, excluded.p50, excluded.p90, excluded.simulated);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION forecast.note_latest() IS 'Keeps forecast.latest in step with what is added to or changed in forecast.archive.';

-- Moving old rows skips this: the newest of them is in forecast.latest already.
CREATE TRIGGER archive_is_latest AFTER INSERT ON forecast.archive
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    WHEN (current_setting('grid.is_moving', true) IS DISTINCT FROM 'yes')
    EXECUTE FUNCTION forecast.note_latest();
CREATE TRIGGER archive_stays_latest AFTER UPDATE ON forecast.archive
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION forecast.note_latest();

-- Where the owner deletes an issue, the one before it is the newest again.
CREATE FUNCTION forecast.forget_latest() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    WITH gone AS (
        DELETE FROM forecast.latest AS known
        USING (SELECT DISTINCT model, issued_at, starts_at FROM removed) AS issue
        WHERE known.model = issue.model AND known.issued_at = issue.issued_at
          AND known.period_start >= issue.starts_at
          AND known.period_start < issue.starts_at + interval '48 hours'
        RETURNING known.period_start, known.model, known.series
    )
    INSERT INTO forecast.latest (period_start, model, series, issued_at, created_at, p10, p50, p90, simulated)
    SELECT DISTINCT ON (gone.period_start, gone.model, gone.series)
           gone.period_start, gone.model, gone.series, before.issued_at, before.created_at,
           0.1 * (before.p50 - before.below), 0.1 * before.p50, 0.1 * (before.p50 + before.above),
           before.simulated
    FROM gone
    JOIN forecast.series AS s USING (series)
    CROSS JOIN LATERAL (
        SELECT a.issued_at, a.created_at, a.simulated, cell.*
        FROM forecast.archive AS a
        CROSS JOIN LATERAL (SELECT
            1 + (extract(epoch FROM gone.period_start - a.starts_at) / 1800)::integer) AS at (step)
        CROSS JOIN LATERAL (SELECT
            a.below[s.ordinal][at.step], a.p50[s.ordinal][at.step], a.above[s.ordinal][at.step]
            ) AS cell (below, p50, above)
        WHERE a.model = gone.model AND a.issued_at <= forecast.latest_issue_time()
          AND a.starts_at > gone.period_start - interval '48 hours' AND a.starts_at <= gone.period_start
          AND cell.p50 IS NOT NULL) AS before
    ORDER BY gone.period_start, gone.model, gone.series, before.issued_at DESC
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION forecast.forget_latest() IS 'Keeps forecast.latest in step with what is deleted from forecast.archive.';
CREATE TRIGGER archive_was_latest AFTER DELETE ON forecast.archive
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION forecast.forget_latest();

-- forecast.happened: as in 0006, with the place of the series in forecast.archive.
CREATE OR REPLACE VIEW forecast.happened AS
SELECT period_start, 'carbon_intensity' AS series, actual_gco2_kwh AS actual, 1 AS ordinal
FROM core.intensity
UNION ALL
SELECT mix.period_start, share.series, share.actual, share.ordinal
FROM core.generation_mix AS mix
CROSS JOIN LATERAL (VALUES
    ('biomass', mix.biomass_pct, 2), ('coal', mix.coal_pct, 3), ('imports', mix.imports_pct, 4),
    ('gas', mix.gas_pct, 5), ('nuclear', mix.nuclear_pct, 6), ('other', mix.other_pct, 7),
    ('hydro', mix.hydro_pct, 8), ('solar', mix.solar_pct, 9), ('wind', mix.wind_pct, 10)
) AS share (series, actual, ordinal);
COMMENT ON COLUMN forecast.happened.ordinal IS 'Place of the series in the arrays of forecast.archive.';

-- As in 0009, from the arrays.
CREATE OR REPLACE FUNCTION forecast.drop_score_without_forecast(
    of_model text, of_series text, of_day date, of_lead_bucket text
) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    starts  constant timestamptz := of_day::timestamp AT TIME ZONE 'UTC';
    ends    constant timestamptz := (of_day + 1)::timestamp AT TIME ZONE 'UTC';
    dropped bigint;
BEGIN
    DELETE FROM forecast.accuracy AS score
    WHERE score.model = of_model AND score.series = of_series
      AND score.target_date = of_day AND score.lead_bucket = of_lead_bucket
      AND NOT EXISTS (SELECT FROM forecast.thinning AS t WHERE of_day < t.thinned_to)
      AND NOT EXISTS (
          SELECT FROM forecast.happened AS h
          JOIN forecast.archive AS a
            ON a.starts_at > h.period_start - interval '48 hours' AND a.starts_at <= h.period_start
          WHERE h.series = of_series AND h.period_start >= starts AND h.period_start < ends
            AND h.actual IS NOT NULL
            AND a.model = of_model
            -- says nothing new, but bounds what is read
            AND a.starts_at > starts - interval '48 hours' AND a.starts_at < ends
            AND forecast.lead_bucket(h.period_start - a.issued_at) = of_lead_bucket
            AND a.p50[h.ordinal][1 + (extract(epoch FROM h.period_start - a.starts_at) / 1800)::integer]
                IS NOT NULL);
    GET DIAGNOSTICS dropped = ROW_COUNT;
    RETURN dropped;
END
$$;

CREATE OR REPLACE FUNCTION forecast.refresh_statistics() RETURNS void
    LANGUAGE plpgsql VOLATILE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    ANALYZE forecast.archive, forecast.latest;
END
$$;
COMMENT ON FUNCTION forecast.refresh_statistics() IS
    'Refreshes the planner''s statistics of forecast.archive and forecast.latest, for use after many new rows.';

-- forecast.calibration: one row is how far the band of one model is widened on one UTC day of issue.
-- Unique: (model, issue_date). A back-test of the day replaces it.
ALTER TABLE forecast.calibration RENAME TO old_calibration;
ALTER INDEX forecast.calibration_pk RENAME TO old_calibration_pk;
CREATE TABLE forecast.calibration (
    model      text    NOT NULL,
    issue_date date    NOT NULL,
    revision   text    NOT NULL,
    issues     integer NOT NULL,
    margins    real[]  NOT NULL,
    CONSTRAINT calibration_pk PRIMARY KEY (model, issue_date),
    CONSTRAINT calibration_shape CHECK (array_dims(margins) = '[1:10][1:96]')
);
INSERT INTO forecast.calibration (model, issue_date, revision, issues, margins)
SELECT model, issue_date, min(revision), max(issues), array_agg(line ORDER BY ordinal)
FROM (SELECT c.model, c.issue_date, known.ordinal, min(c.revision) AS revision, max(c.issues) AS issues,
             array_agg(c.margin ORDER BY c.step) AS line
      FROM forecast.old_calibration AS c JOIN forecast.series AS known USING (series)
      GROUP BY 1, 2, 3 HAVING count(*) = 96 AND min(c.revision) = max(c.revision)) AS lines
GROUP BY model, issue_date
HAVING count(*) = 10 AND min(revision) = max(revision);
DROP TABLE forecast.old_calibration;
COMMENT ON TABLE forecast.calibration IS 'How far the band of a model is widened, by UTC day of issue (split conformal).';
COMMENT ON COLUMN forecast.calibration.model IS 'Name of the model.';
COMMENT ON COLUMN forecast.calibration.issue_date IS 'UTC day of issue; the margins use only errors that were known when the day began.';
COMMENT ON COLUMN forecast.calibration.revision IS 'Weights whose errors the margins come from; they are not used for other weights.';
COMMENT ON COLUMN forecast.calibration.issues IS 'Number of past issues whose errors the margins come from.';
COMMENT ON COLUMN forecast.calibration.margins IS 'Added to the raw 90 % quantiles and subtracted from the raw 10 % quantiles, gCO2/kWh or %, by series (as in forecast.series) and half-hour of lead; negative narrows the band.';

-- raw.neso_vintages: one row is one 48-hour forecast as captured. Unique: issued_at, starts_at, part.
-- Only added to: a half-hour that was in quarantine is added to its vintage, in the same way as to
-- forecast.archive. NESO keeps no history of it: what was not captured is lost.
CREATE TABLE raw.neso_vintages (
    issued_at         timestamptz NOT NULL,
    starts_at         timestamptz NOT NULL,
    part              smallint    NOT NULL DEFAULT 0,
    simulated         boolean     NOT NULL DEFAULT false,
    forecast_gco2_kwh numeric[]   NOT NULL,
    CONSTRAINT neso_vintages_pk PRIMARY KEY (issued_at, starts_at, part),
    CONSTRAINT neso_vintages_on_the_half_hour CHECK (mod(extract(epoch FROM starts_at), 1800) = 0),
    CONSTRAINT neso_vintages_shape CHECK (
        array_ndims(forecast_gco2_kwh) = 1 AND array_lower(forecast_gco2_kwh, 1) = 1
        AND array_upper(forecast_gco2_kwh, 1) <= 96),
    CONSTRAINT neso_vintages_finite CHECK (NOT ('NaN' = ANY (forecast_gco2_kwh)
        OR 'Infinity' = ANY (forecast_gco2_kwh) OR '-Infinity' = ANY (forecast_gco2_kwh)))
);
COMMENT ON TABLE raw.neso_vintages IS 'NESO''s 48-hour forecasts as captured, in arrays: one row per capture. raw.neso_forecast shows their half-hours one by one.';
COMMENT ON COLUMN raw.neso_vintages.issued_at IS 'When the forecast was captured; NESO publishes no issue time.';
COMMENT ON COLUMN raw.neso_vintages.starts_at IS 'Start of the first half-hour of the array, UTC: the one in which the forecast was captured.';
COMMENT ON COLUMN raw.neso_vintages.part IS '0; more where another program wrote some half-hours as simulated and others not.';
COMMENT ON COLUMN raw.neso_vintages.simulated IS 'True where the recorded API simulated the forecast: it says nothing about NESO''s accuracy.';
COMMENT ON COLUMN raw.neso_vintages.forecast_gco2_kwh IS 'Published forecasts, gCO2/kWh, by half-hour from starts_at on; null where none was published.';

CREATE VIEW raw.neso_forecast AS
SELECT vintage.issued_at, vintage.starts_at + (cell.step - 1) * interval '30 minutes' AS period_start,
       cell.forecast_gco2_kwh, vintage.simulated
FROM raw.neso_vintages AS vintage
CROSS JOIN LATERAL unnest(vintage.forecast_gco2_kwh) WITH ORDINALITY AS cell (forecast_gco2_kwh, step)
WHERE cell.forecast_gco2_kwh IS NOT NULL
UNION ALL
SELECT issued_at, period_start, forecast_gco2_kwh, simulated
FROM raw.unmoved_neso_forecast
WHERE issued_at >= (SELECT moved_to FROM ops.moving WHERE relation = 'raw.neso_forecast');
ALTER VIEW raw.neso_forecast ALTER COLUMN simulated SET DEFAULT false;
COMMENT ON VIEW raw.neso_forecast IS 'NESO''s 48-hour forecasts of carbon intensity as captured: one row per capture and half-hour.';
COMMENT ON COLUMN raw.neso_forecast.issued_at IS 'When the forecast was captured; NESO publishes no issue time.';
COMMENT ON COLUMN raw.neso_forecast.period_start IS 'Start of the forecast half-hour, UTC.';
COMMENT ON COLUMN raw.neso_forecast.forecast_gco2_kwh IS 'Published forecast, gCO2/kWh.';
COMMENT ON COLUMN raw.neso_forecast.simulated IS 'True where the recorded API simulated the forecast: it says nothing about NESO''s accuracy.';

CREATE TABLE raw.incoming_neso_forecast (
    issued_at         timestamptz NOT NULL,
    period_start      timestamptz NOT NULL,
    forecast_gco2_kwh numeric     NOT NULL,
    simulated         boolean     NOT NULL,
    CONSTRAINT neso_forecast_pk PRIMARY KEY (issued_at, period_start),
    CONSTRAINT neso_forecast_on_the_half_hour CHECK (mod(extract(epoch FROM period_start), 1800) = 0),
    CONSTRAINT neso_forecast_finite CHECK (forecast_gco2_kwh NOT IN ('NaN', 'Infinity', '-Infinity'))
);
COMMENT ON TABLE raw.incoming_neso_forecast IS 'Rows of an INSERT into raw.neso_forecast, until they are in raw.neso_vintages; empty otherwise.';
COMMENT ON COLUMN raw.incoming_neso_forecast.issued_at IS 'As in raw.neso_forecast.';
COMMENT ON COLUMN raw.incoming_neso_forecast.period_start IS 'As in raw.neso_forecast.';
COMMENT ON COLUMN raw.incoming_neso_forecast.forecast_gco2_kwh IS 'As in raw.neso_forecast, gCO2/kWh.';
COMMENT ON COLUMN raw.incoming_neso_forecast.simulated IS 'As in raw.neso_forecast.';

CREATE FUNCTION raw.await_incoming() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    LOCK TABLE raw.incoming_neso_forecast IN SHARE ROW EXCLUSIVE MODE;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION raw.await_incoming() IS 'Waits for another transaction that inserts into raw.neso_forecast.';

CREATE FUNCTION raw.take_incoming() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO raw.incoming_neso_forecast (issued_at, period_start, forecast_gco2_kwh, simulated)
    VALUES (NEW.issued_at, NEW.period_start, NEW.forecast_gco2_kwh, NEW.simulated);
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION raw.take_incoming() IS 'Takes a row that is inserted into raw.neso_forecast.';

CREATE FUNCTION raw.keep_incoming() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    twice record;
BEGIN
    SELECT i.issued_at, i.period_start INTO twice
    FROM (SELECT DISTINCT issued_at FROM raw.incoming_neso_forecast) AS vintage
    CROSS JOIN LATERAL (
        SELECT n.period_start FROM raw.neso_forecast AS n
        WHERE n.issued_at = vintage.issued_at OFFSET 0) AS stored
    JOIN raw.incoming_neso_forecast AS i
      ON (i.issued_at, i.period_start) = (vintage.issued_at, stored.period_start)
    LIMIT 1;
    IF FOUND THEN
        RAISE unique_violation USING
            MESSAGE = 'duplicate key value violates unique constraint "neso_forecast_pk"',
            DETAIL = format('Key (issued_at, period_start)=(%s, %s) already exists.',
                            twice.issued_at, twice.period_start),
            SCHEMA = 'raw', TABLE = 'neso_forecast', CONSTRAINT = 'neso_forecast_pk';
    END IF;

    WITH cell AS MATERIALIZED (
        SELECT i.issued_at, i.simulated, piece.starts_at,
               1 + (extract(epoch FROM i.period_start - piece.starts_at) / 1800)::integer AS step,
               i.forecast_gco2_kwh AS value
        FROM raw.incoming_neso_forecast AS i
        CROSS JOIN LATERAL (SELECT to_timestamp(1800 * floor(extract(epoch FROM i.issued_at) / 1800))) AS start (at)
        CROSS JOIN LATERAL (SELECT date_bin('48 hours', i.period_start, start.at)) AS piece (starts_at)
    ), target AS (
        SELECT DISTINCT ON (issued_at, starts_at, simulated)
               c.issued_at, c.starts_at, c.simulated, v.part
        FROM cell AS c LEFT JOIN raw.neso_vintages AS v USING (issued_at, starts_at, simulated)
        ORDER BY issued_at, starts_at, simulated, v.part
    ), whole AS (
        SELECT issued_at, starts_at, simulated, step, value FROM cell
        UNION ALL
        SELECT issued_at, starts_at, t.simulated, held.step, held.value
        FROM target AS t
        JOIN raw.neso_vintages AS v USING (issued_at, starts_at, part)
        CROSS JOIN LATERAL unnest(v.forecast_gco2_kwh) WITH ORDINALITY AS held (value, step)
        WHERE held.value IS NOT NULL
    ), packed AS (
        SELECT issued_at, starts_at, simulated, array_agg(w.value ORDER BY grid.step) AS line
        FROM (SELECT issued_at, starts_at, simulated, max(step)::integer AS steps
              FROM whole GROUP BY 1, 2, 3) AS extent
        CROSS JOIN LATERAL generate_series(1, extent.steps) AS grid (step)
        LEFT JOIN whole AS w USING (issued_at, starts_at, simulated, step)
        GROUP BY issued_at, starts_at, simulated
    ), added_to AS (
        UPDATE raw.neso_vintages AS v
        SET forecast_gco2_kwh = packed.line
        FROM packed JOIN target USING (issued_at, starts_at, simulated)
        WHERE (v.issued_at, v.starts_at, v.part) = (target.issued_at, target.starts_at, target.part)
    )
    INSERT INTO raw.neso_vintages (issued_at, starts_at, part, simulated, forecast_gco2_kwh)
    SELECT issued_at, starts_at,
           coalesce((SELECT max(v.part) + 1 FROM raw.neso_vintages AS v
                     WHERE (v.issued_at, v.starts_at) = (packed.issued_at, packed.starts_at)), 0)
           + row_number() OVER (PARTITION BY issued_at, starts_at ORDER BY simulated) - 1,
           simulated, packed.line
    FROM packed JOIN target USING (issued_at, starts_at, simulated)
    WHERE target.part IS NULL;

    DELETE FROM raw.incoming_neso_forecast;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION raw.keep_incoming() IS 'Adds the rows that were inserted into raw.neso_forecast to raw.neso_vintages.';

CREATE TRIGGER await_incoming BEFORE INSERT ON raw.neso_forecast
    FOR EACH STATEMENT EXECUTE FUNCTION raw.await_incoming();
CREATE TRIGGER take_incoming INSTEAD OF INSERT ON raw.neso_forecast
    FOR EACH ROW EXECUTE FUNCTION raw.take_incoming();
CREATE TRIGGER keep_incoming AFTER INSERT ON raw.neso_forecast
    FOR EACH STATEMENT EXECUTE FUNCTION raw.keep_incoming();
