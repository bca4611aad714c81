-- A forecast goes on while the Carbon Intensity API is silent: its context continues from generation
-- by fuel. docs/decisions/0043 has the rules.

ALTER TABLE forecast.issues
    ADD COLUMN context_recomputed integer NOT NULL DEFAULT 0,
    ADD COLUMN recomputed_to timestamptz;
COMMENT ON COLUMN forecast.issues.context_recomputed IS 'Half-hours of the context whose carbon intensity or mix was not published yet and was recomputed from generation by fuel.';
COMMENT ON COLUMN forecast.issues.recomputed_to IS 'End of the newest half-hour that generation by fuel could add to the published ones; null where it could add none.';

-- The published value of a half-hour fits the generation of the next one.
CREATE FUNCTION forecast.recomputed_ends(at timestamptz) RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT max(period_start) FROM core.generation_mw, forecast.telemetry_ends(at) AS published
WHERE recomputed_gco2_kwh IS NOT NULL
  AND period_start >= latest - interval '7 days' AND period_start < latest
  AND least(coalesce(captured_at, period_start + interval '30 minutes'), now()) <= latest
  AND period_start > coalesce(least(published.intensity_to, published.mix_to), '-infinity')
$$;
COMMENT ON FUNCTION forecast.recomputed_ends(timestamptz) IS
    'End of the newest half-hour that generation by fuel can add to the published ones for a forecast made at a time; null if none.';

-- As in 0015, and for generation that goes on where telemetry ends.
CREATE OR REPLACE FUNCTION forecast.has_unused_telemetry(of_model text, at timestamptz DEFAULT now())
    RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT NOT (intensity_to IS NULL AND mix_to IS NULL) AND NOT EXISTS (
    SELECT FROM forecast.issues AS i
    WHERE (of_model IS NULL OR i.model = of_model)
      AND i.issued_at > least(newest.intensity_to, newest.mix_to) - interval '1 day'
      AND i.issued_at <= latest
      AND (newest.intensity_to IS NULL OR i.intensity_to >= newest.intensity_to)
      AND (newest.mix_to IS NULL OR i.mix_to >= newest.mix_to)
      AND (recomputed.recomputed_to IS NULL OR i.recomputed_to >= recomputed.recomputed_to)
      AND (i.refused_reason IS NULL OR i.created_at <= now() + interval '5 minutes' AND NOT EXISTS (
          SELECT FROM ops.etl_runs AS e
          WHERE (e.asset IN ('core.intensity', 'core.generation_mix')
                 OR e.asset = 'core.generation_mw' AND i.recomputed_to IS NOT NULL)
            AND e.rows_written > 0 AND e.finished_at > i.created_at AND e.finished_at <= now())))
FROM forecast.telemetry_ends(at) AS newest,
     forecast.recomputed_ends(at) AS recomputed (recomputed_to)
$$;
COMMENT ON FUNCTION forecast.has_unused_telemetry(text, timestamptz) IS
    'Whether core holds telemetry, or generation that goes on where it ends, that no issue of the model (null: of any model) has used.';
