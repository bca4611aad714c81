-- The outlook as known at an instant, for those who may read only reporting.
CREATE FUNCTION reporting.outlook_as_known_at(at timestamptz DEFAULT now())
RETURNS TABLE (
    series       text,
    period_start timestamptz,
    published_at timestamptz,
    value_mw     real,
    source       text,
    known_from   timestamptz,
    suspect      boolean,
    simulated    boolean
)
LANGUAGE sql STABLE PARALLEL SAFE
-- runs as its owner: grid_reader may not read core itself
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT known.series, known.period_start, known.published_at, known.value_mw, known.source,
           known.known_from, known.suspect, known.simulated
    FROM core.outlook_as_known_at(at) AS known
$$;
COMMENT ON FUNCTION reporting.outlook_as_known_at(timestamptz) IS
    'The rows of core.outlook_as_known_at, MW: for each series and half-hour, from 192 hours before an instant to the end of what was known then, the newest value published by then and before the half-hour began. The other columns are as in core.outlook; period_start is the start of the half-hour, value_mw its value.';
