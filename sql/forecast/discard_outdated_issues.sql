-- Discards the new issues that must not replace what is stored. A refusal never replaces a stored
-- forecast, and a forecast always replaces a refusal. Of two forecasts or two refusals, the one
-- that used newer telemetry, or generation that goes on after it, is kept: another run has made it
-- in the meantime. (An issue that used newer intensity and an older mix, or vice versa, is not
-- outdated: its time would stay due for ever.)
WITH outdated AS (
    DELETE FROM asked AS a
    USING forecast.issues AS i
    WHERE i.model = a.model AND i.issued_at = a.issued_at
      AND CASE WHEN (a.refused_reason IS NULL) <> (i.refused_reason IS NULL)
               THEN a.refused_reason IS NOT NULL
               WHEN (i.intensity_to, i.mix_to) IS NOT DISTINCT FROM (a.intensity_to, a.mix_to)
               THEN i.recomputed_to > coalesce(a.recomputed_to, '-infinity')
               ELSE coalesce(i.intensity_to, '-infinity') >= coalesce(a.intensity_to, '-infinity')
                AND coalesce(i.mix_to, '-infinity') >= coalesce(a.mix_to, '-infinity')
          END
    RETURNING a.model, a.issued_at
)
DELETE FROM staged_arrays AS s USING outdated AS o
WHERE s.model = o.model AND s.issued_at = o.issued_at
