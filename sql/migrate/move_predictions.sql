-- Copies the forecasts of a span of issue times from rows to arrays. The raw quantiles go along only
-- in the issues that recalibration reads: the first forecast of each model and weights in three hours.
WITH cell AS MATERIALIZED (
    SELECT u.model, u.issued_at, u.created_at, u.simulated, piece.starts_at,
           1 + (extract(epoch FROM u.period_start - piece.starts_at) / 1800)::integer AS step,
           known.ordinal, (10 * (u.p50 - u.p10))::smallint AS below, (10 * u.p50)::smallint AS p50,
           (10 * (u.p90 - u.p50))::smallint AS above, u.raw_p10, u.raw_p90
    FROM forecast.unmoved_predictions AS u
    JOIN forecast.series AS known USING (series)
    CROSS JOIN LATERAL (SELECT to_timestamp(1800 * ceil(extract(epoch FROM u.issued_at) / 1800))) AS start (at)
    CROSS JOIN LATERAL (SELECT date_bin('48 hours', u.period_start, start.at)) AS piece (starts_at)
    WHERE u.issued_at >= %(start)s AND u.issued_at < %(end)s
), issue AS MATERIALIZED (
    SELECT model, issued_at, created_at, simulated, starts_at, max(step) AS steps, max(ordinal) AS series,
           row_number() OVER (PARTITION BY model, starts_at, issued_at
                              ORDER BY created_at, simulated) - 1 AS part
    FROM cell GROUP BY model, issued_at, created_at, simulated, starts_at
), calibrating AS MATERIALIZED (
    SELECT model, min(issued_at) AS issued_at
    FROM forecast.issues
    WHERE issued_at >= %(start)s AND issued_at < %(end)s AND refused_reason IS NULL
    GROUP BY model, revision, date_bin('3 hours', issued_at, timestamptz '2000-01-01Z')
), gapless AS (
    -- a union and not a join, which is slow where the planner expects few rows
    SELECT model, issued_at, starts_at, created_at, simulated, ordinal, step,
           max(below) AS below, max(p50) AS p50, max(above) AS above,
           max(raw_p10) AS raw_p10, max(raw_p90) AS raw_p90
    FROM (SELECT model, issued_at, starts_at, created_at, simulated, ordinal, step,
                 below, p50, above, raw_p10, raw_p90 FROM cell
          UNION ALL
          SELECT model, issued_at, starts_at, created_at, simulated, known.ordinal, grid.step,
                 NULL, NULL, NULL, NULL, NULL
          FROM issue JOIN forecast.series AS known ON known.ordinal <= issue.series
          CROSS JOIN LATERAL generate_series(1, issue.steps) AS grid (step)) AS filled
    GROUP BY model, issued_at, starts_at, created_at, simulated, ordinal, step
), line AS (
    SELECT model, issued_at, starts_at, created_at, simulated, ordinal,
           array_agg(below ORDER BY step) AS below, array_agg(p50 ORDER BY step) AS p50,
           array_agg(above ORDER BY step) AS above, count(below) AS bands,
           array_agg(raw_p10 ORDER BY step) AS raw_p10, array_agg(raw_p90 ORDER BY step) AS raw_p90,
           count(raw_p10) AS raw_bands
    FROM gapless
    GROUP BY model, issued_at, starts_at, created_at, simulated, ordinal
)
INSERT INTO forecast.archive (model, starts_at, issued_at, part, created_at, simulated, below, p50, above,
                              raw_p10, raw_p90)
SELECT model, starts_at, issued_at,
       part + coalesce((SELECT max(a.part) + 1 FROM forecast.archive AS a
                        WHERE (a.model, a.starts_at, a.issued_at)
                            = (line.model, line.starts_at, line.issued_at)), 0),
       created_at, simulated,
       CASE WHEN sum(bands) > 0 THEN array_agg(below ORDER BY ordinal) END,
       array_agg(p50 ORDER BY ordinal),
       CASE WHEN sum(bands) > 0 THEN array_agg(above ORDER BY ordinal) END,
       CASE WHEN calibrates AND sum(raw_bands) > 0 THEN array_agg(raw_p10 ORDER BY ordinal) END,
       CASE WHEN calibrates AND sum(raw_bands) > 0 THEN array_agg(raw_p90 ORDER BY ordinal) END
FROM line JOIN issue USING (model, issued_at, starts_at, created_at, simulated)
CROSS JOIN LATERAL (SELECT EXISTS (
    SELECT FROM calibrating AS c
    WHERE c.model = line.model AND c.issued_at = line.issued_at)) AS chosen (calibrates)
GROUP BY model, starts_at, issued_at, part, created_at, simulated, calibrates
ORDER BY issued_at, model, part
