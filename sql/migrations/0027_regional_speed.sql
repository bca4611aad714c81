-- What keeps questions about regions fast, of people and of cycles. docs/decisions/0048 and
-- 0051 have the measurements.

-- core.regional_days: one row is how many half-hours of all regions one relation holds of one UTC
-- day. Unique: day, relation. A cycle asks which days of years are incomplete; counting millions of
-- half-hours each time takes seconds. Nothing but the triggers writes it.
CREATE TABLE core.regional_days (
    day        date    NOT NULL,
    relation   text    NOT NULL,
    half_hours integer NOT NULL,
    CONSTRAINT regional_days_pk PRIMARY KEY (day, relation),
    CONSTRAINT regional_days_relation_known CHECK (relation IN ('regional_intensity', 'regional_mix')),
    CONSTRAINT regional_days_counted CHECK (half_hours >= 0)
);
COMMENT ON TABLE core.regional_days IS 'Half-hours of regions that core holds, counted by UTC day; maintained by triggers.';
COMMENT ON COLUMN core.regional_days.day IS 'UTC day in which the half-hours start.';
COMMENT ON COLUMN core.regional_days.relation IS 'Which relation of core holds them: regional_intensity or regional_mix.';
COMMENT ON COLUMN core.regional_days.half_hours IS 'Half-hours of all regions together: 48 for each region when the day is complete.';

-- Once a statement, not a row. A key is never changed, so updates count for nothing.
CREATE FUNCTION core.count_regional_days() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO core.regional_days AS known (day, relation, half_hours)
        SELECT (period_start AT TIME ZONE 'UTC')::date, TG_TABLE_NAME, count(*)
        FROM changed
        GROUP BY 1 ORDER BY 1  -- two writers then never wait for each other in a circle
        ON CONFLICT (day, relation) DO UPDATE SET half_hours = known.half_hours + excluded.half_hours;
    ELSIF TG_OP = 'DELETE' THEN
        UPDATE core.regional_days AS known SET half_hours = known.half_hours - removed.half_hours
        FROM (SELECT (period_start AT TIME ZONE 'UTC')::date AS day, count(*) AS half_hours
              FROM changed GROUP BY 1) AS removed
        WHERE known.day = removed.day AND known.relation = TG_TABLE_NAME;
    ELSE
        DELETE FROM core.regional_days WHERE relation = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION core.count_regional_days() IS 'Keeps core.regional_days in step with the half-hours that are added and removed.';

CREATE TRIGGER added_half_hours_are_counted AFTER INSERT ON core.regional_intensity
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION core.count_regional_days();
CREATE TRIGGER added_half_hours_are_counted AFTER INSERT ON core.regional_mix
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION core.count_regional_days();
CREATE TRIGGER removed_half_hours_are_counted AFTER DELETE ON core.regional_intensity
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION core.count_regional_days();
CREATE TRIGGER removed_half_hours_are_counted AFTER DELETE ON core.regional_mix
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION core.count_regional_days();
CREATE TRIGGER no_half_hours_are_left AFTER TRUNCATE ON core.regional_intensity
    FOR EACH STATEMENT EXECUTE FUNCTION core.count_regional_days();
CREATE TRIGGER no_half_hours_are_left AFTER TRUNCATE ON core.regional_mix
    FOR EACH STATEMENT EXECUTE FUNCTION core.count_regional_days();

-- After the triggers, whose lock waits for a writer at work: what it adds is then here or in them.
INSERT INTO core.regional_days (day, relation, half_hours)
SELECT (period_start AT TIME ZONE 'UTC')::date, 'regional_intensity', count(*)
FROM core.regional_intensity GROUP BY 1
UNION ALL
SELECT (period_start AT TIME ZONE 'UTC')::date, 'regional_mix', count(*)
FROM core.regional_mix GROUP BY 1;

-- The newest forecast of one region and series, by each model; reporting.regional_forecast_latest
-- shows those of all. A function, because planning all of it as one query takes several times as long
-- as running it: its statements are planned once a session.
CREATE FUNCTION forecast.regional_ahead(of_region smallint, of_series text)
RETURNS TABLE (
    model        text,
    issued_at    timestamptz,
    created_at   timestamptz,
    period_start timestamptz,
    p10          numeric,
    p50          numeric,
    p90          numeric,
    derived      boolean,
    simulated    boolean
)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 190
    -- runs as its owner: a view calls it as its reader, who may read no table
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    half_hour    constant interval    := '30 minutes';
    -- an issue after the next half-hour comes from a clock that was wrong
    not_after    constant timestamptz := now() + half_hour;
    most         constant integer     := CASE of_series WHEN 'carbon_intensity' THEN 10000 ELSE 1000 END;
    captured_at  timestamptz;
    starts_at    timestamptz;
    is_simulated boolean;
    tenths       smallint[];
    buckets      text[];
    weights      numeric[];
    bands        numeric[];
BEGIN
    -- the newest capture that has the region; one array, so that no other is unpacked
    SELECT v.issued_at, v.starts_at, v.simulated, (CASE of_series
               WHEN 'carbon_intensity' THEN v.forecast_tenths
               WHEN 'biomass' THEN v.biomass_tenths
               WHEN 'coal' THEN v.coal_tenths
               WHEN 'imports' THEN v.imports_tenths
               WHEN 'gas' THEN v.gas_tenths
               WHEN 'nuclear' THEN v.nuclear_tenths
               WHEN 'other' THEN v.other_tenths
               WHEN 'hydro' THEN v.hydro_tenths
               WHEN 'solar' THEN v.solar_tenths
               WHEN 'wind' THEN v.wind_tenths
           END)[of_region:of_region]
    INTO captured_at, starts_at, is_simulated, tenths
    FROM raw.regional_vintages AS v
    WHERE v.issued_at > now() - interval '48 hours' AND v.issued_at <= not_after
      AND EXISTS (SELECT FROM unnest(v.forecast_tenths[of_region:of_region]) AS cell (tenths)
                  WHERE cell.tenths IS NOT NULL)
    ORDER BY v.issued_at DESC LIMIT 1;

    RETURN QUERY
    SELECT 'neso', captured_at, captured_at, starts_at + (cell.step - 1) * half_hour,
           NULL::numeric, 0.1 * cell.tenths, NULL::numeric, false, is_simulated
    FROM unnest(tenths) WITH ORDINALITY AS cell (tenths, step)
    WHERE cell.tenths BETWEEN 0 AND most
      -- a capture begins with the half-hour in which it was made
      AND starts_at + (cell.step - 1) * half_hour >= captured_at;
    IF of_series <> 'carbon_intensity' OR NOT FOUND THEN
        RETURN;
    END IF;

    SELECT array_agg(w.lead_bucket), array_agg(w.weight::numeric), array_agg(round(w.band_gco2_kwh::numeric, 1))
    INTO buckets, weights, bands
    FROM forecast.regional_weights AS w
    WHERE w.region_id = of_region AND w.is_shown
      AND w.fitted_at = (SELECT max(n.fitted_at) FROM forecast.regional_weights AS n
                         WHERE n.region_id = of_region AND n.fitted_at <= now()
                           -- an older one is from before a long pause, and says nothing of now
                           AND n.fitted_at > now() - interval '28 days');
    IF buckets IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT 'blend', known.at, ours.created_at, ours.period_start,
           -- without a band null, which greatest and least alone would ignore
           CASE WHEN bands[bucket.place] IS NOT NULL THEN greatest(0, moved.p50 - bands[bucket.place]) END,
           moved.p50,
           CASE WHEN bands[bucket.place] IS NOT NULL THEN least(1000, moved.p50 + bands[bucket.place]) END,
           true, is_simulated OR national.simulated
    FROM unnest(tenths) WITH ORDINALITY AS cell (tenths, step)
    JOIN forecast.latest AS ours
      ON ours.model = 'blend' AND ours.series = of_series AND ours.issued_at <= not_after
     AND ours.period_start = starts_at + (cell.step - 1) * half_hour
     -- weights are learned from forecasts of one time: NATIONAL_AGE in forecasting/regions/past.py
     AND ours.issued_at > captured_at - interval '3 hours'
    JOIN forecast.latest AS national
      ON national.model = 'neso' AND national.series = of_series AND national.issued_at <= not_after
     AND national.period_start = ours.period_start
     AND national.issued_at > ours.issued_at - interval '3 hours'
    -- the first half-hour at which all of it was known
    CROSS JOIN LATERAL (SELECT greatest(ours.issued_at,
        date_bin(half_hour, greatest(captured_at, national.issued_at)
                            + half_hour - interval '1 microsecond', 'epoch'))) AS known (at)
    -- OFFSET 0, so that each is computed once
    CROSS JOIN LATERAL (SELECT
        array_position(buckets, forecast.lead_bucket(ours.period_start - known.at)) OFFSET 0) AS bucket (place)
    CROSS JOIN LATERAL (SELECT round(least(1000, greatest(0,
        0.1 * cell.tenths + weights[bucket.place] * (ours.p50 - national.p50))), 1) OFFSET 0) AS moved (p50)
    WHERE cell.tenths BETWEEN 0 AND most AND ours.period_start >= known.at AND bucket.place IS NOT NULL;
END
$$;
COMMENT ON FUNCTION forecast.regional_ahead(smallint, text) IS
    'The newest forecast of a region (1 to 18) and series by each model: neso as published, and blend where it is derived and shown. Behind reporting.regional_forecast_latest.';
