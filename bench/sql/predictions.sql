-- One model's forecasts at every half-hour of a window, 96 steps of ten series each. A forecast
-- repeats the actuals of up to six hours before its half-hour: the longer the lead, the larger the
-- offset may be, chosen by a hash of issue and step. So errors grow with the lead, the
-- values are the same every time, and shares sum to 100 without rounding. As from the real writer,
-- an issue every three hours has its raw quantiles. Rows are in the order of a running system.
WITH line AS (
    SELECT issue.half_hour, happened.ordinal,
           array_agg(least(band.tenths, happened.tenths)::smallint ORDER BY lead.step) AS below,
           array_agg(happened.tenths::smallint ORDER BY lead.step) AS p50,
           array_agg(least(band.tenths, limits.tenths - happened.tenths)::smallint ORDER BY lead.step) AS above,
           array_agg((0.1 * (happened.tenths - band.tenths))::real ORDER BY lead.step) AS raw_p10,
           array_agg((0.1 * (happened.tenths + band.tenths))::real ORDER BY lead.step) AS raw_p90
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS issue (half_hour)
    CROSS JOIN generate_series(0, 95) AS lead (step)
    CROSS JOIN LATERAL (SELECT
        mod(hashint8extended(issue.half_hour * 96 + lead.step, hashtextextended(%(model)s, %(seed)s)),
            2 + lead.step / 8)) AS off (steps)
    JOIN bench.truth AS happened ON happened.half_hour = issue.half_hour + lead.step - abs(off.steps)
    CROSS JOIN LATERAL (SELECT
        CASE happened.ordinal WHEN 1 THEN 80 + 4 * lead.step ELSE 10 + lead.step / 2 END) AS band (tenths)
    CROSS JOIN LATERAL (SELECT CASE happened.ordinal WHEN 1 THEN 10000 ELSE 1000 END) AS limits (tenths)
    GROUP BY issue.half_hour, happened.ordinal
)
INSERT INTO forecast.archive (model, starts_at, issued_at, created_at, below, p50, above, raw_p10, raw_p90)
SELECT %(model)s, to_timestamp(half_hour * 1800.0), to_timestamp(half_hour * 1800.0),
       to_timestamp(half_hour * 1800.0) - %(made_before)s::interval,
       array_agg(below ORDER BY ordinal), array_agg(p50 ORDER BY ordinal), array_agg(above ORDER BY ordinal),
       CASE WHEN half_hour %% 6 = 0 THEN array_agg(raw_p10 ORDER BY ordinal) END,
       CASE WHEN half_hour %% 6 = 0 THEN array_agg(raw_p90 ORDER BY ordinal) END
FROM line
GROUP BY half_hour
ORDER BY half_hour
