-- Of the issues just made, those that what is stored should outlive are dropped: a run with newer
-- telemetry has made them meanwhile, or they are refusals that know nothing newer than the forecast
-- that is there. (Newer in one and older in the other is not outdated: it would stay due for ever.)
WITH outdated AS (
    DELETE FROM asked AS a
    USING forecast.issues AS i
    WHERE i.model = a.model AND i.issued_at = a.issued_at
      AND coalesce(i.intensity_to, '-infinity') >= coalesce(a.intensity_to, '-infinity')
      AND coalesce(i.mix_to, '-infinity') >= coalesce(a.mix_to, '-infinity')
      AND ((i.intensity_to, i.mix_to) IS DISTINCT FROM (a.intensity_to, a.mix_to)
           OR a.refused_reason IS NOT NULL AND i.refused_reason IS NULL)
    RETURNING a.model, a.issued_at
)
DELETE FROM staged AS s USING outdated AS o
WHERE s.model = o.model AND s.issued_at = o.issued_at
