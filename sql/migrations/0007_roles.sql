-- What grid_writer has no right to do itself, as functions that run as grid_owner. Each judges for
-- itself what may be done, so that no call can do harm.

-- A score goes only where nothing is left to be scored: no forecast of that model, series, day and
-- lead bucket has an actual any more. Scores of thinned days (0008) are final, and stay.
CREATE FUNCTION forecast.drop_score_without_forecast(
    of_model text, of_series text, of_day date, of_lead_bucket text
) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    dropped bigint;
BEGIN
    DELETE FROM forecast.accuracy AS score
    WHERE score.model = of_model AND score.series = of_series
      AND score.target_date = of_day AND score.lead_bucket = of_lead_bucket
      AND NOT EXISTS (SELECT FROM ops.retention AS r WHERE of_day < r.forecasts_thinned_to)
      AND NOT EXISTS (
          SELECT FROM reporting.actual_vs_predicted AS compared
          WHERE compared.model = of_model AND compared.series = of_series
            AND compared.period_start >= of_day::timestamp AT TIME ZONE 'UTC'
            AND compared.period_start < (of_day + 1)::timestamp AT TIME ZONE 'UTC'
            AND compared.lead_bucket = of_lead_bucket);
    GET DIAGNOSTICS dropped = ROW_COUNT;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION forecast.drop_score_without_forecast(text, text, date, text) IS
    'Removes one row of forecast.accuracy if nothing is left that it could be the score of; returns how many it removed.';

-- Only an owner may refresh statistics; after a back-test, scoring takes seconds without them.
CREATE FUNCTION forecast.refresh_statistics() RETURNS void
    LANGUAGE plpgsql VOLATILE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    ANALYZE forecast.predictions;
END
$$;
COMMENT ON FUNCTION forecast.refresh_statistics() IS
    'Refreshes the planner''s statistics of forecast.predictions, after many new rows at once.';
