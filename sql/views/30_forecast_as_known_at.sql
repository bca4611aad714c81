-- The forecasts that existed at an instant. An issue that was back-tested later did not.
CREATE FUNCTION reporting.forecast_as_known_at(at timestamptz)
RETURNS TABLE (
    model        text,
    issued_at    timestamptz,
    created_at   timestamptz,
    series       text,
    period_start timestamptz,
    p10          numeric,
    p50          numeric,
    p90          numeric,
    simulated    boolean
)
LANGUAGE sql STABLE PARALLEL SAFE
-- runs as its owner: grid_reader may not read forecast itself
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p.model, p.issued_at, p.created_at, p.series, p.period_start,
           p.p10, p.p50, p.p90, p.simulated
    FROM forecast.predictions AS p
    WHERE p.created_at <= at
$$;
COMMENT ON FUNCTION reporting.forecast_as_known_at(timestamptz) IS
    'Rows of forecast.predictions that had been made by the given instant, gCO2/kWh or %.';
REVOKE ALL ON FUNCTION reporting.forecast_as_known_at(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reporting.forecast_as_known_at(timestamptz) TO grid_reader;
