-- When to use electricity: of the half-hours from `earliest` to `deadline`, those with the lowest
-- forecast carbon intensity, by the newest forecast of each: of Great Britain, or of a region.
{% from "macros.sql" import latest_issue_time, model_place %}
CREATE FUNCTION reporting.greenest_window(
    duration   interval,
    deadline   timestamptz,
    earliest   timestamptz DEFAULT now(),
    contiguous boolean     DEFAULT true,
    quantile   text        DEFAULT 'p50',
    model      text        DEFAULT NULL,
    region     integer     DEFAULT NULL
)
RETURNS TABLE (
    period_start   timestamptz,
    gco2_kwh       numeric,
    p10            numeric,
    p90            numeric,
    mean_gco2_kwh  numeric,
    saved_gco2_kwh numeric,
    issued_at      timestamptz,
    forecast_model text,
    forecast_to    timestamptz
)
LANGUAGE plpgsql STABLE PARALLEL SAFE
-- runs as its owner: grid_reader may not read forecast itself
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- planned once a session: planning for each call takes longer than the answer
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    half_hour CONSTANT interval := '30 minutes';
    needed    integer;
    start_at  timestamptz;
    of_model  text := greenest_window.model;
    place     text := coalesce(' for region ' || region, '');
    -- the forecast
    starts    timestamptz[];
    medians   numeric[];
    lower     numeric[];
    upper     numeric[];
    issues    timestamptz[];
BEGIN
    -- by its seconds, as used below: a year is 360 days when intervals are compared, but 365.25 in
    -- an epoch
    IF (extract(epoch FROM duration) > 0) IS NOT TRUE THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format(
            'greenest_window cannot search for a duration of %s. Give one above 0, such as interval ''2 hours''.',
            coalesce(duration::text, 'null'));
    ELSIF deadline IS NULL OR earliest IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE =
            'greenest_window needs both limits, but deadline or earliest is null. Give a time with its zone.';
    ELSIF contiguous IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE =
            'greenest_window needs to know whether the half-hours must be contiguous, and it is null. Give true or false.';
    ELSIF quantile IS NULL OR quantile NOT IN ('p10', 'p50', 'p90') THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format(
            'greenest_window does not know the quantile %s. Give p10, p50 or p90.', coalesce(quote_literal(quantile), 'null'));
    ELSIF region NOT BETWEEN 1 AND 18 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format(
            'greenest_window does not know region %s. Give one of 1 to 18 (reporting.regional_now lists them), or null for Great Britain.', region);
    END IF;
    -- a million half-hours are 57 years: longer than any forecast, and small enough to count with
    needed := least(ceil(extract(epoch FROM duration) / 1800), 1000000);
    -- the first half-hour that can be used
    start_at := date_bin(half_hour, earliest, 'epoch');
    IF start_at < earliest THEN
        start_at := start_at + half_hour;
    END IF;

    IF region IS NOT NULL THEN
        -- the derived forecast of the region, where it is shown and reaches, or else NESO's
        SELECT l.model, max(l.period_start) + half_hour, array_agg(l.period_start), array_agg(l.p50),
               array_agg(l.p10), array_agg(l.p90), array_agg(l.issued_at)
        INTO of_model, forecast_to, starts, medians, lower, upper, issues
        FROM forecast.regional_ahead(region::smallint, 'carbon_intensity') AS l
        WHERE greenest_window.model IS NULL OR l.model = greenest_window.model
        GROUP BY l.model
        HAVING max(l.period_start) >= earliest - half_hour
        ORDER BY {{ model_place("l.model") }} LIMIT 1;
    ELSE
        IF of_model IS NULL THEN
            -- The first model, in the order in which models are shown, whose newest issue reaches
            -- `earliest` (no forecast is longer than 48 hours); of two Chronos models the one with the
            -- newer issue. forecast.models is short, so each model costs one look-up in the key of
            -- forecast.issues; neso has no row there.
            SELECT candidate.model INTO of_model
            FROM (SELECT DISTINCT known.model FROM forecast.models AS known
                  UNION SELECT 'neso') AS candidate
            CROSS JOIN LATERAL (
                SELECT i.issued_at FROM forecast.issues AS i
                WHERE i.model = candidate.model AND i.refused_reason IS NULL
                  AND i.issued_at <= {{ latest_issue_time() }}
                ORDER BY i.issued_at DESC LIMIT 1) AS newest
            WHERE newest.issued_at > earliest - interval '48 hours'
            ORDER BY {{ model_place("candidate.model") }}, newest.issued_at DESC, candidate.model
            LIMIT 1;
        END IF;
        SELECT l.period_start + half_hour INTO forecast_to FROM forecast.latest AS l
        WHERE l.model = of_model AND l.series = 'carbon_intensity'
          AND l.issued_at <= {{ latest_issue_time() }}
        ORDER BY l.period_start DESC LIMIT 1;
        SELECT array_agg(l.period_start), array_agg(l.p50), array_agg(l.p10), array_agg(l.p90), array_agg(l.issued_at)
        INTO starts, medians, lower, upper, issues
        FROM forecast.latest AS l
        WHERE l.model = of_model AND l.series = 'carbon_intensity'
          AND l.period_start >= earliest AND l.period_start <= deadline - half_hour
          AND l.issued_at <= {{ latest_issue_time() }};
    END IF;

    RETURN QUERY
    WITH candidate AS MATERIALIZED (
        SELECT l.at, l.value, l.p10, l.p90, l.issued_at
        FROM unnest(starts, CASE quantile WHEN 'p10' THEN lower WHEN 'p50' THEN medians ELSE upper END,
                    lower, upper, issues) AS l (at, value, p10, p90, issued_at)
        WHERE l.at >= earliest AND l.at <= deadline - half_hour AND l.value IS NOT NULL
    ), stretch AS (
        -- the stretch that starts at each half-hour; one with a gap has fewer
        SELECT c.at, sum(c.value) OVER following AS total, count(*) OVER following AS half_hours
        FROM candidate AS c
        WHERE contiguous
        WINDOW following AS (ORDER BY c.at
                             RANGE BETWEEN CURRENT ROW AND (needed - 1) * half_hour FOLLOWING)
    ), best AS (
        SELECT s.at FROM stretch AS s WHERE s.half_hours = needed ORDER BY s.total, s.at LIMIT 1
    ), chosen AS (
        SELECT c.* FROM candidate AS c JOIN best AS b
          ON c.at >= b.at AND c.at < b.at + needed * half_hour
        UNION ALL
        (SELECT c.* FROM candidate AS c
         WHERE NOT contiguous AND (SELECT count(*) FROM candidate) >= needed
         ORDER BY c.value, c.at LIMIT needed)
    ), at_once AS (
        SELECT CASE count(*) WHEN needed THEN avg(c.value) END AS mean
        FROM candidate AS c
        WHERE c.at >= start_at AND c.at < start_at + needed * half_hour
    )
    SELECT chosen.at, chosen.value, chosen.p10, chosen.p90, round(avg(chosen.value) OVER (), 1),
           round(at_once.mean - avg(chosen.value) OVER (), 1), chosen.issued_at, of_model, forecast_to
    FROM chosen CROSS JOIN at_once ORDER BY chosen.at;

    -- why there is no answer, or only part of one
    IF FOUND THEN
        IF forecast_to < deadline THEN
            RAISE NOTICE 'greenest_window looked only as far as %, where the forecast of % ends, and not to the deadline of %. Ask again nearer to it.',
                forecast_to, of_model || place, deadline;
        END IF;
    ELSIF deadline <= now() THEN
        RAISE NOTICE 'greenest_window has no answer: the deadline of % is past. Give a later one.', deadline;
    ELSIF start_at + needed * half_hour > deadline THEN
        RAISE NOTICE 'greenest_window has no answer: % from the half-hour of % on is later than the deadline of %. Give a later deadline, an earlier start or a shorter duration.',
            needed * half_hour, start_at, deadline;
    ELSIF forecast_to IS NULL OR forecast_to <= start_at THEN
        RAISE NOTICE 'greenest_window has no answer: there is no forecast % from % on%. Run `grid status` to see why.',
            coalesce('of ' || coalesce(of_model, greenest_window.model), 'of any model') || place, start_at, coalesce('; it ends at ' || forecast_to, '');
    ELSE
        RAISE NOTICE 'greenest_window has no answer: the forecast of %, which ends at %, has no % half-hours with a % that fit%. Give a shorter duration, or another quantile or model.',
            of_model || place, forecast_to, needed, quantile, CASE WHEN contiguous THEN ' and follow each other' ELSE '' END;
    END IF;
END
$$;
COMMENT ON FUNCTION reporting.greenest_window(interval, timestamptz, timestamptz, boolean, text, text, integer) IS
    'The greenest half-hours between earliest and deadline, enough for duration: one stretch, or any half-hours where contiguous is false; of Great Britain as it generates, or of what a region (1 to 18) consumes. period_start is the start of a half-hour to use, gco2_kwh its forecast by the chosen quantile (p90 is the cautious choice), p10 and p90 its band, issued_at the time of that forecast. The same on each row: mean_gco2_kwh of the window, saved_gco2_kwh by which the mean is lower than that of the same use from earliest on (null if not all of that is forecast), forecast_model, and forecast_to, where its forecast ends: nothing after it was looked at, whatever the deadline. No row where nothing fits; a notice says why.';
