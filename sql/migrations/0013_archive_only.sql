-- Once `grid migrate` has moved every row: the two views read the arrays only, and the tables of rows
-- go. Runs after all other migrations and after the views of reporting, which read the old tables
-- until then; a later migration that changes one of these two views has to allow for that.

DO $$
DECLARE
    unmoved bigint;
BEGIN
    LOCK TABLE raw.unmoved_neso_forecast, forecast.unmoved_predictions IN ACCESS EXCLUSIVE MODE;
    SELECT (SELECT count(*) FROM (SELECT FROM raw.unmoved_neso_forecast
                WHERE issued_at >= (SELECT moved_to FROM ops.moving WHERE relation = 'raw.neso_forecast')
                LIMIT 1) AS one)
         + (SELECT count(*) FROM (SELECT FROM forecast.unmoved_predictions
                WHERE issued_at >= (SELECT moved_to FROM ops.moving WHERE relation = 'forecast.predictions')
                LIMIT 1) AS one)
    INTO unmoved;
    IF unmoved > 0 THEN
        RAISE EXCEPTION 'Not all rows are moved yet. Run `grid migrate`, which moves them first.';
    END IF;
END
$$;

CREATE OR REPLACE VIEW forecast.predictions AS
SELECT issue.model, known.series,
       issue.starts_at + (cell.step - 1) * interval '30 minutes' AS period_start,
       issue.issued_at, issue.created_at,
       (0.1 * (cell.p50 - cell.below))::numeric(5, 1) AS p10,
       (0.1 * cell.p50)::numeric(5, 1) AS p50,
       (0.1 * (cell.p50 + cell.above))::numeric(5, 1) AS p90,
       issue.simulated
FROM forecast.archive AS issue
CROSS JOIN forecast.series AS known
CROSS JOIN LATERAL unnest(issue.below[known.ordinal:known.ordinal], issue.p50[known.ordinal:known.ordinal],
                          issue.above[known.ordinal:known.ordinal])
     WITH ORDINALITY AS cell (below, p50, above, step)
WHERE cell.p50 IS NOT NULL;

CREATE OR REPLACE VIEW raw.neso_forecast AS
SELECT vintage.issued_at, vintage.starts_at + (cell.step - 1) * interval '30 minutes' AS period_start,
       cell.forecast_gco2_kwh, vintage.simulated
FROM raw.neso_vintages AS vintage
CROSS JOIN LATERAL unnest(vintage.forecast_gco2_kwh) WITH ORDINALITY AS cell (forecast_gco2_kwh, step)
WHERE cell.forecast_gco2_kwh IS NOT NULL;

DROP TABLE raw.unmoved_neso_forecast;
DROP TABLE forecast.unmoved_predictions;
DROP TABLE forecast.targets;
DROP TABLE ops.moving;
