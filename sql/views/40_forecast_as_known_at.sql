-- The forecasts that existed at an instant. An issue that was back-tested later did not.
CREATE FUNCTION reporting.forecast_as_known_at(
    at           timestamptz,
    issued_since timestamptz DEFAULT '-infinity'
)
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
-- PL/pgSQL, because it plans with the values of the arguments: issued_since then reaches the index
LANGUAGE plpgsql STABLE PARALLEL SAFE
-- runs as its owner: grid_reader may not read forecast itself
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT p.model, p.issued_at, p.created_at, p.series, p.period_start,
           p.p10, p.p50, p.p90, p.simulated
    FROM forecast.predictions AS p
    WHERE p.created_at <= at AND p.issued_at >= issued_since;
END
$$;
COMMENT ON FUNCTION reporting.forecast_as_known_at(timestamptz, timestamptz) IS
    'Rows of forecast.predictions that had been made by the given instant, gCO2/kWh or %. Reads every forecast ever made unless issued_since bounds the issue time, for example at - interval ''2 days''.';
