-- When to use electricity: of the half-hours from `earliest` to `deadline`, those with the lowest
-- forecast carbon intensity, by the newest forecast of each.
CREATE FUNCTION reporting.greenest_window(
    duration   interval,
    deadline   timestamptz,
    earliest   timestamptz DEFAULT now(),
    contiguous boolean     DEFAULT true,
    quantile   text        DEFAULT 'p50',
    model      text        DEFAULT NULL
)
RETURNS TABLE (
    period_start timestamptz,
    gco2_kwh     numeric
)
LANGUAGE plpgsql STABLE PARALLEL SAFE
-- runs as its owner: grid_reader may not read forecast itself
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    half_hour CONSTANT interval := '30 minutes';
    needed    integer;
    of_model  text := greenest_window.model;
    first_at  timestamptz;
    last_at   timestamptz;
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
    END IF;
    -- a million half-hours are 57 years: longer than any forecast, and small enough to count with
    needed := least(ceil(extract(epoch FROM duration) / 1800), 1000000);

    -- Our newest Chronos model, or else a simpler one, whose newest issue reaches `earliest` (no
    -- forecast is longer than 48 hours). forecast.models is short, so each model costs one look-up
    -- in the key of forecast.issues; neso has no row there.
    IF of_model IS NULL THEN
        SELECT candidate.model INTO of_model
        FROM (SELECT DISTINCT known.model FROM forecast.models AS known
              UNION SELECT 'neso') AS candidate
        CROSS JOIN LATERAL (
            SELECT i.issued_at FROM forecast.issues AS i
            WHERE i.model = candidate.model AND i.refused_reason IS NULL
            ORDER BY i.issued_at DESC LIMIT 1) AS newest
        WHERE newest.issued_at > earliest - interval '48 hours'
          AND (candidate.model LIKE 'chronos:%' OR candidate.model IN ('seasonal_naive', 'neso'))
        ORDER BY CASE candidate.model WHEN 'neso' THEN 2 WHEN 'seasonal_naive' THEN 1 ELSE 0 END,
                 newest.issued_at DESC, candidate.model
        LIMIT 1;
    END IF;

    -- the first and the last half-hour of that model within the limits
    SELECT p.period_start INTO first_at FROM forecast.predictions AS p
    WHERE p.model = of_model AND p.series = 'carbon_intensity' AND p.period_start >= earliest
    ORDER BY p.period_start LIMIT 1;
    SELECT p.period_start INTO last_at FROM forecast.predictions AS p
    WHERE p.model = of_model AND p.series = 'carbon_intensity' AND p.period_start <= deadline - half_hour
    ORDER BY p.period_start DESC LIMIT 1;

    RETURN QUERY
    WITH candidate AS MATERIALIZED (
        -- one look-up in the primary key for each half-hour, however many issues reach it
        SELECT newest.at, newest.value
        FROM generate_series(first_at, last_at, half_hour) AS grid (at)
        CROSS JOIN LATERAL (
            SELECT p.period_start AS at,
                   CASE quantile WHEN 'p10' THEN p.p10 WHEN 'p50' THEN p.p50 ELSE p.p90 END AS value
            FROM forecast.predictions AS p
            WHERE p.model = of_model AND p.series = 'carbon_intensity' AND p.period_start = grid.at
            ORDER BY p.model DESC, p.series DESC, p.period_start DESC, p.issued_at DESC
            LIMIT 1) AS newest
        WHERE newest.value IS NOT NULL
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
        SELECT c.at, c.value FROM candidate AS c JOIN best AS b
          ON c.at >= b.at AND c.at < b.at + needed * half_hour
        UNION ALL
        (SELECT c.at, c.value FROM candidate AS c
         WHERE NOT contiguous AND (SELECT count(*) FROM candidate) >= needed
         ORDER BY c.value, c.at LIMIT needed)
    )
    SELECT chosen.at, chosen.value FROM chosen ORDER BY chosen.at;
END
$$;
COMMENT ON FUNCTION reporting.greenest_window(interval, timestamptz, timestamptz, boolean, text, text) IS
    'The greenest half-hours between earliest and deadline, enough for duration: one stretch, or any half-hours where contiguous is false. period_start is the start of a half-hour to use, gco2_kwh its forecast by the chosen quantile (p90 is the cautious choice). No row where nothing fits.';
