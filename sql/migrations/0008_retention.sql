-- What is kept, and for how long: forecasts keep every lead for a while and chosen leads for ever.

-- ops.retention: one row, ever. Says how far old forecasts are thinned out and when Dagster's history
-- was last purged. The first housekeeping writes it, each later one moves it on.
CREATE TABLE ops.retention (
    only_row             boolean     NOT NULL DEFAULT true,
    forecasts_thinned_to date,
    history_purged_at    timestamptz,
    CONSTRAINT retention_pk PRIMARY KEY (only_row),
    CONSTRAINT retention_has_one_row CHECK (only_row)
);
COMMENT ON TABLE ops.retention IS 'One row: how far old forecasts are thinned out, and when Dagster''s history was last purged.';
COMMENT ON COLUMN ops.retention.only_row IS 'Always true; makes a second row impossible.';
COMMENT ON COLUMN ops.retention.forecasts_thinned_to IS 'UTC day: forecasts of half-hours before it are chosen leads only, and their scores are final. Null until the first day is thinned.';
COMMENT ON COLUMN ops.retention.history_purged_at IS 'When old runs and events of Dagster were last purged; null before the first time.';

-- Every model and series that has forecasts, by two dozen probes of the key and not by reading it.
CREATE FUNCTION forecast.streams() RETURNS TABLE (model text, series text)
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
        WITH RECURSIVE found AS (
            (SELECT p.model, p.series FROM forecast.predictions AS p
             ORDER BY p.model, p.series LIMIT 1)
            UNION ALL
            SELECT following.model, following.series
            FROM found AS f
            CROSS JOIN LATERAL (
                SELECT p.model, p.series FROM forecast.predictions AS p
                WHERE (p.model, p.series) > (f.model, f.series)
                ORDER BY p.model, p.series LIMIT 1) AS following
        )
        SELECT found.model, found.series FROM found;
    END;
COMMENT ON FUNCTION forecast.streams() IS 'Every model and series that has forecasts.';

-- Of the half-hours before `before` that are not thinned yet, keeps for each chosen lead the newest
-- forecast issued at least that long before the half-hour, and deletes all others; deletes the
-- margins that belong to those days too. Returns the rows deleted. The caller bounds the work by
-- `before`, a day at a time, and holds the locks of forecast.predictions and forecast.accuracy.
-- Runs as its owner, so that a writer needs no DELETE; what it refuses nobody can thin by it.
CREATE FUNCTION forecast.thin_predictions(before timestamptz, leads interval[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    -- a lead of '1 day' is 24 hours; in London it would be 23 or 25 where the clock changes
    SET timezone = 'UTC'
AS $$
DECLARE
    thinned_to constant timestamptz := coalesce(
        (SELECT r.forecasts_thinned_to::timestamp AT TIME ZONE 'UTC' FROM ops.retention AS r),
        '-infinity');
    day     constant date := (before AT TIME ZONE 'UTC')::date;
    stream  record;
    deleted bigint;
    total   bigint := 0;
BEGIN
    IF before IS DISTINCT FROM date_trunc('day', before, 'UTC') THEN
        RAISE EXCEPTION 'Forecasts are thinned by whole UTC days, and % begins none.', before
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- calibration reads whole issues of the last 28 days
    IF before > date_trunc('day', now(), 'UTC') - interval '30 days' THEN
        RAISE EXCEPTION 'Forecasts of the last 30 days are not thinned, and % is among them.', before
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- reporting.forecast_latest is the newest forecast of every half-hour
    IF (interval '0' = ANY (leads)) IS NOT TRUE THEN
        RAISE EXCEPTION 'The chosen leads must hold 0, the newest forecast of each half-hour.'
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
    INSERT INTO ops.retention AS r (forecasts_thinned_to) VALUES (day)
    ON CONFLICT (only_row) DO UPDATE
        SET forecasts_thinned_to = greatest(r.forecasts_thinned_to, excluded.forecasts_thinned_to);
    RETURN total + deleted;
END
$$;
COMMENT ON FUNCTION forecast.thin_predictions(timestamptz, interval[]) IS
    'Deletes forecasts of half-hours before an instant but for chosen leads; returns how many rows.';
REVOKE ALL ON FUNCTION forecast.thin_predictions(timestamptz, interval[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION forecast.streams() FROM PUBLIC;
