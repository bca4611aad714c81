-- Publishes the forecasts of the changed issues, replacing the stored ones. Of what another program
-- has added to such an issue in further rows, nothing remains.
WITH replaced AS (
    UPDATE forecast.archive AS p
    SET below = NULL, p50 = array_fill(NULL::smallint, ARRAY[1, 1]), above = NULL,
        raw_p10 = NULL, raw_p90 = NULL
    FROM staged_arrays AS s JOIN changed USING (model, issued_at)
    WHERE (p.model, p.issued_at) = (s.model, s.issued_at)
      AND (p.starts_at > p.issued_at OR p.part > 0)
)
INSERT INTO forecast.archive AS p
    (model, starts_at, issued_at, created_at, below, p50, above, raw_p10, raw_p90)
SELECT model, issued_at, issued_at, created_at, below, p50, above, raw_p10, raw_p90
FROM staged_arrays JOIN changed USING (model, issued_at)
ORDER BY issued_at, model
ON CONFLICT (model, starts_at, issued_at, part) DO UPDATE SET
    created_at = excluded.created_at,
    simulated = excluded.simulated,
    below = excluded.below,
    p50 = excluded.p50,
    above = excluded.above,
    raw_p10 = excluded.raw_p10,
    raw_p90 = excluded.raw_p90
