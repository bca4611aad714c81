-- What keeps the views fast as history grows; docs/decisions/0022 has the measurements.

-- forecast.targets: one row is one half-hour of one series that a model has forecast, however often.
-- Unique: those three, in the order in which dashboards ask. Views of the newest forecast look up one
-- issue for each of these rows, instead of sorting all issues (up to 96 for each half-hour).
-- A row stays when its forecasts go: the views find none then. Nothing but the trigger writes it.
CREATE TABLE forecast.targets (
    period_start timestamptz NOT NULL,
    model        text        NOT NULL,
    series       text        NOT NULL,
    CONSTRAINT targets_pk PRIMARY KEY (period_start, model, series)
);
COMMENT ON TABLE forecast.targets IS 'One half-hour of one series that a model has forecast, however often; kept by a trigger.';
COMMENT ON COLUMN forecast.targets.period_start IS 'Start of the forecast half-hour, UTC.';
COMMENT ON COLUMN forecast.targets.model IS 'chronos:<checkpoint>, seasonal_naive or neso.';
COMMENT ON COLUMN forecast.targets.series IS 'carbon_intensity, or one of the nine fuels.';

-- Triggers, so that a row which any program writes is in the views. Once a statement, not a row.
CREATE FUNCTION forecast.note_targets() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO forecast.targets (period_start, model, series)
    SELECT DISTINCT period_start, model, series FROM added
    ORDER BY 1, 2, 3  -- two writers that share half-hours then never wait for each other in a circle
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION forecast.note_targets() IS 'Keeps forecast.targets in step with what is added to or changed in forecast.predictions.';
REVOKE ALL ON FUNCTION forecast.note_targets() FROM PUBLIC;
CREATE TRIGGER predictions_have_targets AFTER INSERT ON forecast.predictions
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION forecast.note_targets();
CREATE TRIGGER predictions_keep_targets AFTER UPDATE ON forecast.predictions
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION forecast.note_targets();

-- After the triggers, whose lock waits for a writer at work: what it adds is then here or in them.
INSERT INTO forecast.targets (period_start, model, series)
SELECT DISTINCT period_start, model, series FROM forecast.predictions;

-- The contract's lead buckets, lower edge included.
CREATE FUNCTION forecast.lead_bucket(lead interval) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN lead < interval '3 hours' THEN '0-3h'
                WHEN lead < interval '6 hours' THEN '3-6h'
                WHEN lead < interval '12 hours' THEN '6-12h'
                WHEN lead < interval '24 hours' THEN '12-24h'
                ELSE '24-48h' END;
COMMENT ON FUNCTION forecast.lead_bucket(interval) IS 'Bucket of a lead: 0-3h, 3-6h, 6-12h, 12-24h or 24-48h.';

-- forecast.happened: one row is what happened in one half-hour to one series. A filter on its time
-- reaches the keys of both tables.
CREATE VIEW forecast.happened AS
SELECT period_start, 'carbon_intensity' AS series, actual_gco2_kwh AS actual
FROM core.intensity
UNION ALL
SELECT mix.period_start, share.series, share.actual
FROM core.generation_mix AS mix
CROSS JOIN LATERAL (VALUES
    ('biomass', mix.biomass_pct), ('coal', mix.coal_pct), ('imports', mix.imports_pct),
    ('gas', mix.gas_pct), ('nuclear', mix.nuclear_pct), ('other', mix.other_pct),
    ('hydro', mix.hydro_pct), ('solar', mix.solar_pct), ('wind', mix.wind_pct)
) AS share (series, actual);
COMMENT ON VIEW forecast.happened IS 'What happened in one half-hour to one series, beside which its forecasts are put.';
COMMENT ON COLUMN forecast.happened.period_start IS 'Start of the half-hour, UTC.';
COMMENT ON COLUMN forecast.happened.series IS 'carbon_intensity (gCO2/kWh), or one of the nine fuels (%).';
COMMENT ON COLUMN forecast.happened.actual IS 'Newest published actual, or the share in the completed mix; null where there is none yet.';

-- 960 rows come with every issue: without this, years of rows have to change before the newest days
-- are in the statistics and in the visibility map.
ALTER TABLE forecast.predictions SET (
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000
);

-- A settlement date is a day in London: a dashboard's filter on it is answered from these.
CREATE INDEX intensity_by_settlement_date
    ON core.intensity (((period_start AT TIME ZONE 'Europe/London')::date));
CREATE INDEX generation_mix_by_settlement_date
    ON core.generation_mix (((period_start AT TIME ZONE 'Europe/London')::date));

-- Accuracy over weeks or a year, for one series and every model, without touching the table.
CREATE INDEX accuracy_by_series ON forecast.accuracy (series, target_date)
    INCLUDE (model, lead_bucket, n, mae, bias, wape, pinball, coverage_80, simulated);
