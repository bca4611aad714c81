-- How far forecasts are thinned moves from ops.retention into forecast, whose functions need it, and
-- nothing in forecast reads reporting any more. Comments of tables and columns are reworded.

-- forecast.thinning: one row at most. Thinning a day writes it in the same transaction.
CREATE TABLE forecast.thinning (
    only_row   boolean NOT NULL DEFAULT true,
    thinned_to date    NOT NULL,
    CONSTRAINT thinning_pk PRIMARY KEY (only_row),
    CONSTRAINT thinning_has_one_row CHECK (only_row)
);
COMMENT ON TABLE forecast.thinning IS 'One row: how far old forecasts are thinned; no row until the first day is.';
COMMENT ON COLUMN forecast.thinning.only_row IS 'Always true, so that there is only one row.';
COMMENT ON COLUMN forecast.thinning.thinned_to IS 'UTC day: of the forecasts of half-hours before it only chosen leads are left, and their scores are final.';

INSERT INTO forecast.thinning (thinned_to)
SELECT forecasts_thinned_to FROM ops.retention WHERE forecasts_thinned_to IS NOT NULL;
ALTER TABLE ops.retention DROP COLUMN forecasts_thinned_to;
COMMENT ON TABLE ops.retention IS 'One row: when Dagster''s history was last purged.';

-- As in 0008, with the mark in forecast.thinning.
CREATE OR REPLACE FUNCTION forecast.thin_predictions(before timestamptz, leads interval[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    -- a lead of '1 day' is 24 hours; in London it would be 23 or 25 where the clock changes
    SET timezone = 'UTC'
AS $$
DECLARE
    thinned_to constant timestamptz := coalesce(
        (SELECT t.thinned_to::timestamp AT TIME ZONE 'UTC' FROM forecast.thinning AS t), '-infinity');
    day     constant date := (before AT TIME ZONE 'UTC')::date;
    stream  record;
    deleted bigint;
    total   bigint := 0;
BEGIN
    IF before IS DISTINCT FROM date_trunc('day', before, 'UTC') THEN
        RAISE EXCEPTION 'Forecasts are thinned by whole UTC days, and % is not the start of one.', before
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- calibration reads whole issues of the last 28 days
    IF before > date_trunc('day', now(), 'UTC') - interval '30 days' THEN
        RAISE EXCEPTION 'Forecasts of the last 30 days are not thinned, and % is among them.', before
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- reporting.forecast_latest shows the newest forecast of every half-hour
    IF (interval '0' = ANY (leads)) IS NOT TRUE THEN
        RAISE EXCEPTION 'The chosen leads must include 0, the newest forecast of each half-hour.'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR stream IN SELECT s.model, s.series FROM forecast.streams() AS s LOOP
        DELETE FROM forecast.predictions AS p
        USING (
            SELECT q.period_start, q.issued_at,
                   lag(q.issued_at) OVER (PARTITION BY q.period_start ORDER BY q.issued_at DESC) AS newer
            FROM forecast.predictions AS q
            WHERE q.model = stream.model AND q.series = stream.series
              AND q.period_start >= thinned_to AND q.period_start < before
        ) AS issue
        WHERE p.model = stream.model AND p.series = stream.series
          AND p.period_start >= thinned_to AND p.period_start < before
          AND p.period_start = issue.period_start AND p.issued_at = issue.issued_at
          -- it is the newest at least `lead` ahead, if no newer one is
          AND NOT EXISTS (
              SELECT FROM unnest(leads) AS chosen (lead)
              WHERE issue.issued_at <= issue.period_start - chosen.lead
                AND (issue.newer IS NULL OR issue.newer > issue.period_start - chosen.lead));
        GET DIAGNOSTICS deleted = ROW_COUNT;
        total := total + deleted;
    END LOOP;
    DELETE FROM forecast.calibration AS c WHERE c.issue_date < day;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    INSERT INTO forecast.thinning AS t (thinned_to) VALUES (day)
    ON CONFLICT (only_row) DO UPDATE SET thinned_to = greatest(t.thinned_to, excluded.thinned_to);
    RETURN total + deleted;
END
$$;
COMMENT ON FUNCTION forecast.thin_predictions(timestamptz, interval[]) IS
    'Deletes forecasts of half-hours before an instant except for chosen leads; returns the number of rows deleted.';

-- As in 0007, with the mark in forecast.thinning, and what happened from forecast.happened.
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
          SELECT FROM forecast.predictions AS p
          WHERE p.model = of_model AND p.series = of_series
            AND p.period_start >= starts AND p.period_start < ends
            AND forecast.lead_bucket(p.period_start - p.issued_at) = of_lead_bucket
            AND EXISTS (SELECT FROM forecast.happened AS h
                        WHERE h.period_start = p.period_start AND h.series = of_series
                          -- says nothing new, but bounds what is read
                          AND h.period_start >= starts AND h.period_start < ends
                          AND h.actual IS NOT NULL));
    GET DIAGNOSTICS dropped = ROW_COUNT;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION forecast.drop_score_without_forecast(text, text, date, text) IS
    'Deletes a row of forecast.accuracy if no forecast that it could score has an actual; returns the number of rows deleted.';

COMMENT ON SCHEMA raw IS 'Data as published: a change log in which nothing is overwritten.';
COMMENT ON SCHEMA core IS 'Clean data: one row per half-hour, every rule enforced by a constraint.';
COMMENT ON SCHEMA ops IS 'Operations: pipeline runs, rejected records, and what kind of data the warehouse holds.';

COMMENT ON TABLE raw.intensity IS 'National carbon intensity as published, one row for each change of a half-hour.';
COMMENT ON COLUMN raw.intensity.captured_at IS 'When the API''s response was received.';
COMMENT ON COLUMN raw.intensity.forecast_gco2_kwh IS 'Published forecast, gCO2/kWh; for a past half-hour, the last short-lead forecast.';
COMMENT ON TABLE raw.generation IS 'National generation mix as published, one row for each change of a half-hour.';
COMMENT ON COLUMN raw.generation.captured_at IS 'When the API''s response was received.';
COMMENT ON COLUMN raw.generation.unknown_pct IS 'Published shares of fuels outside the nine, % by name.';
COMMENT ON TABLE raw.neso_forecast IS 'NESO''s 48-hour forecasts of carbon intensity as captured.';
COMMENT ON COLUMN raw.neso_forecast.issued_at IS 'When the forecast was captured; NESO publishes no issue time.';
COMMENT ON COLUMN raw.neso_forecast.simulated IS 'True where the recorded API simulated the forecast: it says nothing about NESO''s accuracy.';

COMMENT ON FUNCTION core.implausible_reason(numeric) IS 'Why a published gCO2/kWh is set to null in core; null where it is not.';
COMMENT ON TABLE core.intensity IS 'National carbon intensity: one row per half-hour that has begun.';
COMMENT ON COLUMN core.intensity.forecast_gco2_kwh IS 'Newest published forecast, gCO2/kWh; for a past half-hour, a nowcast.';
COMMENT ON COLUMN core.intensity.actual_gco2_kwh IS 'Newest published actual, gCO2/kWh; null until published. 0 is a value.';
COMMENT ON COLUMN core.intensity.forecast_reason IS 'Why the published forecast was set to null; null where it was not.';
COMMENT ON COLUMN core.intensity.actual_reason IS 'Why the published actual was set to null; null where it was not.';
COMMENT ON COLUMN core.intensity.captured_at IS 'Capture in raw.intensity that the row comes from; null where another program wrote the row.';
COMMENT ON TABLE core.generation_mix IS 'National generation mix: one row per half-hour; the shares sum to exactly 100.';
COMMENT ON COLUMN core.generation_mix.biomass_pct IS 'Share of biomass, %; null where none was published; its power then counts as other.';
COMMENT ON COLUMN core.generation_mix.coal_pct IS 'Share of coal, %; null where none was published; its power then counts as other.';
COMMENT ON COLUMN core.generation_mix.imports_pct IS 'Share of imports, %; null where none was published; its power then counts as other.';
COMMENT ON COLUMN core.generation_mix.gas_pct IS 'Share of gas, %; null where none was published; its power then counts as other.';
COMMENT ON COLUMN core.generation_mix.nuclear_pct IS 'Share of nuclear, %; null where none was published; its power then counts as other.';
COMMENT ON COLUMN core.generation_mix.hydro_pct IS 'Share of hydro, %; null where none was published; its power then counts as other.';
COMMENT ON COLUMN core.generation_mix.solar_pct IS 'Share of solar, %; null where none was published; its power then counts as other.';
COMMENT ON COLUMN core.generation_mix.wind_pct IS 'Share of wind, %; null where none was published; its power then counts as other.';
COMMENT ON COLUMN core.generation_mix.other_pct IS 'Share of everything else, %: 100 minus the eight named fuels.';
COMMENT ON COLUMN core.generation_mix.published_total_pct IS 'Sum of all shares as published, %; 99.7 to 100.2, because shares are rounded.';
COMMENT ON COLUMN core.generation_mix.adjustment IS 'none, other_completed (other is the rest to 100), or scaled_to_100 (the named fuels exceeded 100 because they are rounded).';
COMMENT ON COLUMN core.generation_mix.captured_at IS 'Capture in raw.generation that the row comes from; null where another program wrote the row.';

COMMENT ON TABLE forecast.models IS 'Models that have forecast here: one row per checkpoint and revision of its weights.';
COMMENT ON COLUMN forecast.models.revision IS 'Which weights: start of the file''s SHA-256, or the commit on the model hub; for a model without weights, the version of its rule.';
COMMENT ON COLUMN forecast.models.trained_to IS 'End of its training data; null where there was no training or the end is unknown.';
COMMENT ON COLUMN forecast.models.scores IS 'Scores published with the checkpoint, by span, series and lead bucket.';
COMMENT ON TABLE forecast.issues IS 'One issue: a time at which a model was to forecast, with the data it had, or why there is no forecast.';
COMMENT ON COLUMN forecast.issues.issued_at IS 'Half-hour boundary at which the stored forecast starts, UTC; for neso, when the forecast was captured.';
COMMENT ON COLUMN forecast.issues.created_at IS 'When the forecast was made here; for neso, when it was captured.';
COMMENT ON COLUMN forecast.issues.intensity_to IS 'End of the newest half-hour of carbon intensity that the model used.';
COMMENT ON COLUMN forecast.issues.mix_to IS 'End of the newest half-hour of the generation mix that the model used.';
COMMENT ON COLUMN forecast.issues.context_missing IS 'Half-hours of the context without carbon intensity or mix; the model treats them as missing.';
COMMENT ON COLUMN forecast.issues.context_assumed IS 'Half-hours of the context that were loaded later and are assumed known at their end.';
COMMENT ON COLUMN forecast.issues.known_by IS 'capture where every value had been captured by the issue time, end_of_half_hour where some were loaded later.';
COMMENT ON COLUMN forecast.issues.neso_issued_at IS 'Capture of NESO''s forecast that the model used; null where it used none.';
COMMENT ON COLUMN forecast.issues.calibrated_on IS 'Number of past issues behind the recalibrated band; 0 where the band is the model''s own.';
COMMENT ON COLUMN forecast.issues.fallback_reason IS 'Why this model forecast instead of the configured one; null where it is the configured one.';
COMMENT ON FUNCTION forecast.known_from(timestamptz, timestamptz, timestamptz, timestamptz, interval) IS
    'When a value became known: at its capture, or at the end of its half-hour where it was loaded later.';
COMMENT ON TABLE forecast.predictions IS 'Forecasts as issued: one row per model, series, issue and half-hour.';
COMMENT ON COLUMN forecast.predictions.issued_at IS 'Issue time, UTC: the half-hour boundary at which the forecast starts; only data published before it was used. For neso, when the forecast was captured.';
COMMENT ON COLUMN forecast.predictions.p10 IS '10 % quantile after recalibration, gCO2/kWh or %; null where the model gives no band.';
COMMENT ON COLUMN forecast.predictions.p50 IS 'Median, gCO2/kWh or %; the shares of a half-hour sum to exactly 100.';
COMMENT ON COLUMN forecast.predictions.p90 IS '90 % quantile after recalibration, gCO2/kWh or %; null where the model gives no band.';
COMMENT ON COLUMN forecast.predictions.raw_p50 IS 'Median as the model gave it, before the shares were made to sum to 100.';
COMMENT ON COLUMN forecast.predictions.simulated IS 'True for a forecast of neso that the recorded API simulated: it says nothing about NESO''s accuracy.';
COMMENT ON TABLE forecast.targets IS 'Half-hours of each series that a model has forecast, once each; maintained by a trigger.';
COMMENT ON FUNCTION forecast.note_targets() IS 'Adds to forecast.targets what is added to or changed in forecast.predictions.';
COMMENT ON VIEW forecast.happened IS 'What happened to each series in each half-hour, to compare forecasts with.';
COMMENT ON COLUMN forecast.happened.actual IS 'Newest published actual, or the share in the completed mix; null until there is one.';
COMMENT ON TABLE forecast.calibration IS 'How far the band of a model is widened, by UTC day of issue, series and lead (split conformal).';
COMMENT ON COLUMN forecast.calibration.revision IS 'Weights whose errors the margin comes from; it is not used for other weights.';
COMMENT ON COLUMN forecast.calibration.issue_date IS 'UTC day of issue; the margin uses only errors that were known when the day began.';
COMMENT ON COLUMN forecast.calibration.series IS 'carbon_intensity, or one of the nine fuels.';
COMMENT ON COLUMN forecast.calibration.margin IS 'Added to the raw 90 % quantile and subtracted from the raw 10 % quantile, gCO2/kWh or %; negative narrows the band.';
COMMENT ON COLUMN forecast.calibration.issues IS 'Number of past issues whose errors the margin comes from.';
COMMENT ON TABLE forecast.accuracy IS 'Forecast errors: one row per model, series, UTC day of target and lead bucket.';
COMMENT ON COLUMN forecast.accuracy.model IS 'chronos:<checkpoint>, seasonal_naive or neso.';
COMMENT ON COLUMN forecast.accuracy.n IS 'Number of forecasts compared with an actual.';
COMMENT ON COLUMN forecast.accuracy.n_band IS 'Number of forecasts that have a band.';
COMMENT ON COLUMN forecast.accuracy.n_inside_80 IS 'Number of forecasts whose band held the actual.';
COMMENT ON COLUMN forecast.accuracy.simulated IS 'True where the recorded API simulated any of the forecasts.';
COMMENT ON COLUMN forecast.accuracy.coverage_80 IS 'Share of actuals inside the band from p10 to p90, 0 to 1, ideally 0.8; null without a band.';
COMMENT ON FUNCTION forecast.refresh_statistics() IS
    'Refreshes the planner''s statistics of forecast.predictions, for use after many new rows.';

COMMENT ON COLUMN ops.warehouse.only_row IS 'Always true, so that there is only one row.';
COMMENT ON COLUMN ops.retention.only_row IS 'Always true, so that there is only one row.';
COMMENT ON COLUMN ops.retention.history_purged_at IS 'When old Dagster runs and events were last purged; null before the first time.';
COMMENT ON TABLE ops.etl_runs IS 'Attempts to materialise an asset, recorded apart from the data, so that failed ones are kept too.';
COMMENT ON COLUMN ops.etl_runs.run_id IS 'ID of the Dagster run.';
COMMENT ON COLUMN ops.etl_runs.asset IS 'Relation that the attempt writes, for example core.generation_mix.';
COMMENT ON COLUMN ops.etl_runs.attempt IS 'Number of the attempt at this asset within the run, from 1.';
COMMENT ON COLUMN ops.etl_runs.trigger IS 'What started the run: schedule, tick, backfill or manual.';
COMMENT ON COLUMN ops.etl_runs.partition_start IS 'First UTC day of the run, inclusive.';
COMMENT ON COLUMN ops.etl_runs.partition_end IS 'Last UTC day of the run, inclusive.';
COMMENT ON COLUMN ops.etl_runs.started_at IS 'When the attempt started, UTC.';
COMMENT ON COLUMN ops.etl_runs.finished_at IS 'When the attempt ended, UTC; null while it runs. For a crashed attempt, when the crash was noticed.';
COMMENT ON COLUMN ops.etl_runs.execution_time_ms IS 'Duration in milliseconds; null while the attempt runs, and for a crashed one.';
COMMENT ON COLUMN ops.etl_runs.rows_fetched IS 'Records received from the API, or read from raw.';
COMMENT ON COLUMN ops.etl_runs.rows_written IS 'Rows added or changed; 0 for a re-run that changes nothing.';
COMMENT ON COLUMN ops.etl_runs.rows_quarantined IS 'Records or response bodies that the attempt rejected.';
COMMENT ON COLUMN ops.etl_runs.error_type IS 'Exception class of the failure.';
COMMENT ON COLUMN ops.etl_runs.error_message IS 'What went wrong and what to do, without secrets.';
COMMENT ON COLUMN ops.etl_runs.stack_trace IS 'Python stack trace of the failure, without secrets.';
COMMENT ON COLUMN ops.etl_runs.host IS 'Machine and process namespace in which pid is valid.';
COMMENT ON COLUMN ops.etl_runs.heartbeat_at IS 'When the attempt last reported that it was running.';
COMMENT ON TABLE ops.quarantine IS 'Rejected records and response bodies, each with the reason; kept for ever.';
COMMENT ON COLUMN ops.quarantine.captured_at IS 'When it was first received.';
COMMENT ON COLUMN ops.quarantine.asset IS 'Relation that it was meant for, for example raw.generation.';
COMMENT ON COLUMN ops.quarantine.endpoint IS 'Path of the request that first returned it.';
COMMENT ON COLUMN ops.quarantine.reason IS 'Why it was rejected: which part, and what is wrong with it.';
COMMENT ON COLUMN ops.quarantine.is_body IS 'True for a whole response body, false for one record.';
COMMENT ON COLUMN ops.quarantine.last_seen_at IS 'When it was last received.';
COMMENT ON COLUMN ops.quarantine.times_seen IS 'How often it was received.';
COMMENT ON COLUMN ops.quarantine.resolved_at IS 'When a replay accepted it; null while it is open.';
