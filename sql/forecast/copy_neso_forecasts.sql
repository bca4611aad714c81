-- Copies NESO's captured 48-hour forecasts to forecasts of model neso: all that are newer than the
-- newest one copied, so that an outage loses none, and those of a window. Leaves out half-hours that
-- had begun by the time of capture, because their values are not forecasts. Returns how many
-- half-hours were copied. find_missing_neso_forecasts finds what those that are here already lack.
WITH wanted AS MATERIALIZED (
    SELECT DISTINCT issued_at FROM raw.neso_vintages
    WHERE issued_at <= %(now)s
      AND (issued_at > coalesce((SELECT max(issued_at) FROM forecast.issues
                                 WHERE model = 'neso' AND issued_at <= %(now)s),
                                '-infinity')
           OR issued_at >= %(start)s AND issued_at < %(end)s)
), issue AS (
    INSERT INTO forecast.issues (model, issued_at, created_at, revision, context_missing,
                                 context_assumed, known_by)
    SELECT 'neso', issued_at, issued_at, 'published', 0, 0, 'capture' FROM wanted
    ON CONFLICT DO NOTHING
), cell AS MATERIALIZED (
    SELECT new.issued_at, first.starts_at, n.simulated,
           1 + (extract(epoch FROM n.period_start - first.starts_at) / 1800)::integer AS step,
           (10 * round(n.forecast_gco2_kwh, 1))::smallint AS p50
    FROM (SELECT issued_at FROM wanted AS w
          WHERE NOT EXISTS (SELECT FROM forecast.archive AS a
                            WHERE a.model = 'neso' AND a.issued_at = w.issued_at)) AS new
    CROSS JOIN LATERAL (SELECT
        to_timestamp(1800 * ceil(extract(epoch FROM new.issued_at) / 1800))) AS first (starts_at)
    CROSS JOIN LATERAL (
        -- OFFSET 0, so that the vintages are searched by capture
        SELECT period_start, forecast_gco2_kwh, simulated FROM raw.neso_forecast
        WHERE issued_at = new.issued_at OFFSET 0) AS n
    WHERE n.period_start >= first.starts_at AND n.period_start < first.starts_at + interval '48 hours'
      AND n.forecast_gco2_kwh BETWEEN 0 AND 1000
), gapless AS (
    SELECT issued_at, starts_at, step, max(p50) AS p50
    FROM (SELECT issued_at, starts_at, step, p50 FROM cell
          UNION ALL
          SELECT issued_at, starts_at, generate_series(1, max(step)), NULL
          FROM cell GROUP BY issued_at, starts_at) AS filled
    GROUP BY issued_at, starts_at, step
), vintage AS MATERIALIZED (
    -- one that is simulated in part, which only another program can write, is completed row by row
    SELECT issued_at, starts_at, bool_or(simulated) AS simulated, count(*) AS half_hours
    FROM cell GROUP BY issued_at, starts_at HAVING bool_or(simulated) = bool_and(simulated)
), copied AS (
    INSERT INTO forecast.archive (model, starts_at, issued_at, created_at, simulated, p50)
    SELECT 'neso', starts_at, issued_at, issued_at, simulated, ARRAY[array_agg(p50 ORDER BY step)]
    FROM vintage JOIN gapless USING (issued_at, starts_at)
    GROUP BY issued_at, starts_at, simulated
    ORDER BY issued_at
)
SELECT coalesce(sum(half_hours), 0)::integer FROM vintage
