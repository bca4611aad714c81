-- NESO's 48-hour forecasts, as captured by the cycle before each half-hour of a window: 96
-- half-hours from the current one on, in whole grams, with errors that grow with the lead.
INSERT INTO raw.neso_vintages (issued_at, starts_at, simulated, forecast_gco2_kwh)
SELECT to_timestamp(issue.half_hour * 1800.0) - %(made_before)s::interval,
       to_timestamp((issue.half_hour - 1) * 1800.0), true,
       array_agg(round(0.1 * happened.tenths) ORDER BY lead.step)
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS issue (half_hour)
CROSS JOIN generate_series(-1, 94) AS lead (step)
CROSS JOIN LATERAL (SELECT
    mod(hashint8extended(issue.half_hour * 96 + lead.step, %(seed)s), 2 + lead.step / 8)) AS off (steps)
JOIN bench.truth AS happened
    ON happened.half_hour = issue.half_hour + lead.step - abs(off.steps) AND happened.ordinal = 1
GROUP BY issue.half_hour
ORDER BY issue.half_hour
