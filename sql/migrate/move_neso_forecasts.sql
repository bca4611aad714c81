-- Copies NESO's vintages of a span of capture times from rows to arrays.
WITH cell AS MATERIALIZED (
    SELECT u.issued_at, u.simulated, piece.starts_at,
           1 + (extract(epoch FROM u.period_start - piece.starts_at) / 1800)::integer AS step,
           u.forecast_gco2_kwh AS value
    FROM raw.unmoved_neso_forecast AS u
    CROSS JOIN LATERAL (SELECT to_timestamp(1800 * floor(extract(epoch FROM u.issued_at) / 1800))) AS start (at)
    CROSS JOIN LATERAL (SELECT date_bin('48 hours', u.period_start, start.at)) AS piece (starts_at)
    WHERE u.issued_at >= %(start)s AND u.issued_at < %(end)s
), gapless AS (
    SELECT issued_at, starts_at, simulated, step, max(value) AS value
    FROM (SELECT issued_at, starts_at, simulated, step, value FROM cell
          UNION ALL
          SELECT issued_at, starts_at, simulated, generate_series(1, max(step)), NULL
          FROM cell GROUP BY issued_at, starts_at, simulated) AS filled
    GROUP BY issued_at, starts_at, simulated, step
)
INSERT INTO raw.neso_vintages (issued_at, starts_at, part, simulated, forecast_gco2_kwh)
SELECT issued_at, starts_at,
       row_number() OVER (PARTITION BY issued_at, starts_at ORDER BY simulated) - 1
       + coalesce((SELECT max(v.part) + 1 FROM raw.neso_vintages AS v
                   WHERE (v.issued_at, v.starts_at) = (line.issued_at, line.starts_at)), 0),
       simulated, values
FROM (SELECT issued_at, starts_at, simulated, array_agg(value ORDER BY step) AS values
      FROM gapless GROUP BY issued_at, starts_at, simulated) AS line
ORDER BY issued_at, starts_at
