-- Publishes all forecasts of the changed issues, replacing the stored ones. An issue always has the
-- same series and half-hours, so no row of an earlier run remains.
INSERT INTO forecast.predictions
    (model, series, period_start, issued_at, created_at, p10, p50, p90, raw_p10, raw_p50, raw_p90,
     simulated)
SELECT model, series, period_start, issued_at, created_at, p10, p50, p90, raw_p10, raw_p50, raw_p90,
       simulated
FROM staged JOIN changed USING (model, issued_at)
ON CONFLICT (model, series, period_start, issued_at) DO UPDATE SET
    created_at = excluded.created_at,
    p10 = excluded.p10,
    p50 = excluded.p50,
    p90 = excluded.p90,
    raw_p10 = excluded.raw_p10,
    raw_p50 = excluded.raw_p50,
    raw_p90 = excluded.raw_p90,
    simulated = excluded.simulated
