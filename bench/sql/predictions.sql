-- One model's forecasts at every half-hour of a window, 96 steps of ten series each. A forecast
-- repeats the actuals of up to six hours before its half-hour: the longer the lead, the larger the
-- offset may be, chosen by a hash of issue and step. So errors grow with the lead, the
-- rows are the same every time, and shares sum to 100 without rounding. Rows are in the order of a
-- running system: issue, series, step.
INSERT INTO forecast.predictions
    (model, series, period_start, issued_at, created_at, p10, p50, p90, raw_p10, raw_p50, raw_p90)
SELECT %(model)s, happened.series, to_timestamp((issue.half_hour + lead.step) * 1800.0),
       to_timestamp(issue.half_hour * 1800.0),
       to_timestamp(issue.half_hour * 1800.0) - %(made_before)s::interval,
       0.1 * greatest(happened.tenths - band.tenths, 0),
       0.1 * happened.tenths,
       0.1 * least(happened.tenths + band.tenths, CASE happened.ordinal WHEN 1 THEN 10000 ELSE 1000 END),
       0.1 * (happened.tenths - band.tenths), 0.1 * happened.tenths, 0.1 * (happened.tenths + band.tenths)
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS issue (half_hour)
CROSS JOIN generate_series(0, 95) AS lead (step)
CROSS JOIN LATERAL (SELECT
    mod(hashint8extended(issue.half_hour * 96 + lead.step, hashtextextended(%(model)s, %(seed)s)),
        2 + lead.step / 8)) AS off (steps)
JOIN bench.truth AS happened ON happened.half_hour = issue.half_hour + lead.step - abs(off.steps)
CROSS JOIN LATERAL (SELECT
    CASE happened.ordinal WHEN 1 THEN 80 + 4 * lead.step ELSE 10 + lead.step / 2 END) AS band (tenths)
ORDER BY issue.half_hour, happened.ordinal, lead.step
