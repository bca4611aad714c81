-- Carbon intensity as known at an instant: what had been received last by then of every half-hour
-- that had begun. Revisions captured later are left out, and so is history loaded later. A capture
-- stamped later than now is known from now on.
CREATE FUNCTION reporting.intensity_as_known_at(at timestamptz)
RETURNS TABLE (
    period_start      timestamptz,
    forecast_gco2_kwh numeric,
    actual_gco2_kwh   numeric,
    intensity_index   text,
    forecast_reason   text,
    actual_reason     text,
    captured_at       timestamptz
)
LANGUAGE sql STABLE PARALLEL SAFE
-- runs as its owner: grid_reader may not read raw itself
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT DISTINCT ON (published.period_start)
           published.period_start,
           core.plausible_gco2_kwh(published.forecast_gco2_kwh),
           core.plausible_gco2_kwh(published.actual_gco2_kwh),
           published.intensity_index,
           core.implausible_reason(published.forecast_gco2_kwh),
           core.implausible_reason(published.actual_gco2_kwh),
           published.captured_at
    FROM raw.intensity AS published
    WHERE least(published.captured_at, now()) <= at AND published.period_start <= least(at, now())
    ORDER BY published.period_start, published.arrival DESC, published.captured_at DESC
$$;
COMMENT ON FUNCTION reporting.intensity_as_known_at(timestamptz) IS
    'Rows of core.intensity, gCO2/kWh, as they stood at the given instant by time of capture. Reads all of raw.intensity up to then.';
