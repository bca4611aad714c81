-- What was received last of every half-hour of a span that has begun, with the newest estimate of
-- embedded generation; without one, with what was last forecast before the half-hour began. With
-- captured_by, as it was then.
{% set is_known = "(%(captured_by)s::timestamptz IS NULL OR least(captured_at, now()) <= %(captured_by)s)" %}
WITH generation AS (
    SELECT DISTINCT ON (period_start) period_start, captured_at, generation_mw, demand_mw
    FROM raw.elexon_generation
    WHERE period_start >= %(start)s AND period_start < %(end)s AND period_start <= least(%(now)s, now())
      AND {{ is_known }}
    ORDER BY period_start, arrival DESC, captured_at DESC
), estimate AS (
    SELECT DISTINCT ON (period_start) period_start, embedded_wind_mw, embedded_solar_mw
    FROM raw.embedded_generation
    WHERE period_start >= %(start)s AND period_start < %(end)s AND {{ is_known }}
    ORDER BY period_start, arrival DESC, captured_at DESC
), forecast AS (
    SELECT period_start,
           (max(value_mw) FILTER (WHERE series = 'embedded_wind_mw'))::integer AS embedded_wind_mw,
           (max(value_mw) FILTER (WHERE series = 'embedded_solar_mw'))::integer AS embedded_solar_mw
    FROM core.outlook_as_known_at(%(known_at)s)
    WHERE series IN ('embedded_wind_mw', 'embedded_solar_mw')
    GROUP BY period_start
)
SELECT g.period_start, g.captured_at, g.generation_mw, g.demand_mw,
       CASE WHEN num_nulls(e.embedded_wind_mw, e.embedded_solar_mw) = 0 THEN 'estimate'
            WHEN num_nulls(f.embedded_wind_mw, f.embedded_solar_mw) = 0 THEN 'forecast' END AS known_by,
       CASE WHEN num_nulls(e.embedded_wind_mw, e.embedded_solar_mw) = 0 THEN e.embedded_wind_mw
            WHEN num_nulls(f.embedded_wind_mw, f.embedded_solar_mw) = 0 THEN f.embedded_wind_mw END,
       CASE WHEN num_nulls(e.embedded_wind_mw, e.embedded_solar_mw) = 0 THEN e.embedded_solar_mw
            WHEN num_nulls(f.embedded_wind_mw, f.embedded_solar_mw) = 0 THEN f.embedded_solar_mw END
FROM generation AS g
LEFT JOIN estimate AS e USING (period_start)
LEFT JOIN forecast AS f USING (period_start)
ORDER BY g.period_start
