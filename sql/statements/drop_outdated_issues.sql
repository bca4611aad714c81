-- Of the issues just made, those that a run with newer telemetry has made meanwhile are dropped.
WITH outdated AS (
    DELETE FROM asked AS a
    USING forecast.issues AS i
    WHERE i.model = a.model AND i.issued_at = a.issued_at
      AND (i.intensity_to > coalesce(a.intensity_to, '-infinity')
           OR i.mix_to > coalesce(a.mix_to, '-infinity'))
    RETURNING a.model, a.issued_at
)
DELETE FROM staged AS s USING outdated AS o
WHERE s.model = o.model AND s.issued_at = o.issued_at
