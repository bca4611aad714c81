-- What a use of electricity emits: kWh by half-hour, weighed by what was measured, or by the newest
-- forecast where nothing is measured yet.
{% from "macros.sql" import latest_issue_time, model_place %}
CREATE FUNCTION reporting.carbon_of_use(
    start  timestamptz,
    kwh    numeric[],
    region integer DEFAULT NULL
)
-- a type of its own, because a column cannot have the name of an argument in RETURNS TABLE
RETURNS SETOF core.carbon_of_use
LANGUAGE plpgsql STABLE PARALLEL SAFE
-- runs as its owner: grid_reader may not read core and forecast itself
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    half_hour CONSTANT interval := '30 minutes';
    uses      CONSTANT numeric[] := kwh;
    first     timestamptz;
BEGIN
    IF start IS NULL OR coalesce(array_length(uses, 1), 0) = 0 OR array_ndims(uses) > 1 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE =
            'carbon_of_use needs a start and kWh for each half-hour from it, such as ARRAY[1.5, 1.5].';
    ELSIF EXISTS (SELECT FROM unnest(uses) AS use (amount)
                  WHERE use.amount IS NULL OR NOT use.amount >= 0 OR use.amount IN ('NaN', 'Infinity')) THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE =
            'carbon_of_use needs kWh of 0 or more for every half-hour, and one is null, negative or no number.';
    ELSIF region NOT BETWEEN 1 AND 18 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format(
            'carbon_of_use does not know region %s. Give one of 1 to 18, or null for Great Britain.', region);
    END IF;
    first := date_bin(half_hour, start, 'epoch');
    IF first <> start THEN
        RAISE NOTICE 'carbon_of_use counts from %, the start of the half-hour of %.', first, start;
    END IF;
    RETURN QUERY
    WITH use AS MATERIALIZED (
        SELECT first + (u.place - 1) * half_hour AS at, u.amount
        FROM unnest(uses) WITH ORDINALITY AS u (amount, place)
    ), span AS (
        SELECT min(use.at) AS first_at, max(use.at) AS last_at FROM use
    ), measured AS (
        SELECT i.period_start AS at, i.actual_gco2_kwh AS value
        FROM span JOIN core.intensity AS i ON i.period_start BETWEEN span.first_at AND span.last_at
        WHERE region IS NULL AND i.period_start + half_hour <= now()
        UNION ALL
        -- of a region the API's own estimate; there is no actual
        SELECT i.period_start, i.intensity_gco2_kwh
        FROM span JOIN core.regional_intensity AS i ON i.period_start BETWEEN span.first_at AND span.last_at
        WHERE i.region_id = region AND i.period_start + half_hour <= now()
    ), ahead AS (
        SELECT DISTINCT ON (l.period_start) l.period_start AS at, l.p50 AS value
        FROM span JOIN forecast.latest AS l ON l.period_start BETWEEN span.first_at AND span.last_at
        WHERE region IS NULL AND l.series = 'carbon_intensity' AND l.issued_at <= {{ latest_issue_time() }}
        ORDER BY l.period_start, {{ model_place("l.model") }}, l.issued_at DESC
    ), ahead_there AS (
        SELECT DISTINCT ON (l.period_start) l.period_start AS at, l.p50 AS value
        FROM span JOIN reporting.regional_forecast_latest AS l
          ON l.period_start BETWEEN span.first_at AND span.last_at
        WHERE l.region_id = region AND l.series = 'carbon_intensity'
        ORDER BY l.period_start, {{ model_place("l.model") }}
    ), begun AS (
        -- a captured forecast starts with the next half-hour; the API still calls this one a forecast
        SELECT i.period_start AS at, i.intensity_gco2_kwh AS value
        FROM core.regional_intensity AS i
        WHERE i.region_id = region AND i.period_start = date_bin(half_hour, now(), 'epoch')
    ), weighed AS (
        SELECT use.amount, measured.value AS measured,
               CASE WHEN measured.value IS NULL
                    THEN coalesce(ahead.value, ahead_there.value, begun.value) END AS forecast
        FROM use
        LEFT JOIN measured USING (at) LEFT JOIN ahead USING (at)
        LEFT JOIN ahead_there USING (at) LEFT JOIN begun USING (at)
    ), summed AS (
        SELECT sum(w.amount * coalesce(w.measured, w.forecast)) AS grams, sum(w.amount) AS amount,
               coalesce(sum(w.amount) FILTER (WHERE w.measured IS NOT NULL), 0) AS measured,
               coalesce(sum(w.amount) FILTER (WHERE w.measured IS NULL AND w.forecast IS NOT NULL), 0) AS forecast
        FROM weighed AS w
    )
    -- a total of a part would look like the whole
    SELECT CASE WHEN s.measured + s.forecast = s.amount THEN round(coalesce(s.grams, 0), 1) END,
           CASE WHEN s.measured + s.forecast = s.amount THEN round(s.grams / nullif(s.amount, 0), 1) END,
           s.amount, s.measured, s.forecast
    FROM summed AS s;
END
$$;
COMMENT ON FUNCTION reporting.carbon_of_use(timestamptz, numeric[], integer) IS
    'What a use of electricity emits that draws kwh in the half-hours from start on: of Great Britain as it generates, or of what a region (1 to 18) consumes. gco2 is grams of CO2 and mean_gco2_kwh the mean carbon intensity, weighed by kWh; both null if a half-hour with some use has neither a measurement nor a forecast. kwh is all of the use, measured_kwh the part in half-hours that are over and have an actual (of a region, the API''s estimate), forecast_kwh the part by the newest forecast: the first model in the order in which they are shown.';
