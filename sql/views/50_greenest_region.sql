-- Where and when to use electricity: of the 14 areas, the one whose greenest window has the lowest
-- forecast carbon intensity.
CREATE FUNCTION reporting.greenest_region(
    duration   interval,
    deadline   timestamptz,
    earliest   timestamptz DEFAULT now(),
    contiguous boolean     DEFAULT true,
    quantile   text        DEFAULT 'p50',
    model      text        DEFAULT NULL,
    regions    integer[]   DEFAULT NULL,
    places     integer     DEFAULT 1
)
RETURNS TABLE (
    region_id      integer,
    short_name     text,
    period_start   timestamptz,
    gco2_kwh       numeric,
    place          integer,
    mean_gco2_kwh  numeric,
    saved_gco2_kwh numeric,
    issued_at      timestamptz,
    forecast_model text
)
LANGUAGE plpgsql STABLE PARALLEL SAFE
-- runs as its owner: grid_reader may not read core itself
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- why a region has no window is said by greenest_window; here the others answer
SET client_min_messages = warning
AS $$
BEGIN
    IF coalesce(array_length(regions, 1), 1) = 0 OR EXISTS (
        SELECT FROM unnest(regions) AS asked (id) WHERE asked.id IS NULL OR asked.id NOT BETWEEN 1 AND 18) THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format(
            'greenest_region does not know all of the regions %s. Give some of 1 to 18, or null for the 14 areas.', regions);
    ELSIF coalesce(places, 0) < 1 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE =
            'greenest_region needs places of at least 1: how many regions to return.';
    END IF;
    RETURN QUERY
    WITH area AS MATERIALIZED (
        SELECT r.region_id::integer AS id, r.short_name AS name, window_of.*
        FROM core.regions AS r
        CROSS JOIN LATERAL reporting.greenest_window(
            duration, deadline, earliest, contiguous, quantile, greenest_region.model, r.region_id) AS window_of
        -- nations are no places: each is made of areas
        WHERE CASE WHEN regions IS NULL THEN r.region_id <= 14 ELSE r.region_id = ANY (regions) END
    ), ranked AS (
        SELECT dense_rank() OVER (ORDER BY a.total, a.id)::integer AS place, a.id
        FROM (SELECT m.id, avg(m.gco2_kwh) AS total FROM area AS m GROUP BY m.id) AS a
    )
    SELECT area.id, area.name, area.period_start, area.gco2_kwh, ranked.place, area.mean_gco2_kwh,
           area.saved_gco2_kwh, area.issued_at, area.forecast_model
    FROM area JOIN ranked USING (id)
    WHERE ranked.place <= places
    ORDER BY ranked.place, area.period_start;
END
$$;
COMMENT ON FUNCTION reporting.greenest_region(interval, timestamptz, timestamptz, boolean, text, text, integer[], integer) IS
    'Where and when to use electricity: the half-hours of the greenest window of the region where it is lowest, of the 14 areas or of the given regions. region_id and short_name name the region, period_start is the start of a half-hour to use, gco2_kwh its forecast by the chosen quantile. The same on each row of a region: place, from 1, where places asks for more than one; mean_gco2_kwh of its window, saved_gco2_kwh against the same use there from earliest on, issued_at of the forecast, and forecast_model. No row where no region has a window.';
