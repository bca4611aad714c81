-- One half-hour that has begun and has intensity or mix, or both.
{% from "macros.sql" import inherit_comments, shares %}
CREATE VIEW reporting.telemetry AS
-- Two disjoint branches, not a FULL JOIN, so that a filter on period_start reaches the index of
-- both tables; a FULL JOIN would read all of them.
WITH half_hour AS NOT MATERIALIZED (
    SELECT i.period_start, i.forecast_gco2_kwh, i.actual_gco2_kwh, i.intensity_index,
           {{ shares("m") }},
           m.period_start IS NOT NULL AS has_mix
    FROM core.intensity AS i
    LEFT JOIN core.generation_mix AS m USING (period_start)
    UNION ALL
    SELECT m.period_start, NULL, NULL, NULL,
           {{ shares("m") }},
           true
    FROM core.generation_mix AS m
    WHERE NOT EXISTS (SELECT FROM core.intensity AS i WHERE i.period_start = m.period_start)
)
SELECT h.period_start,
       (h.period_start AT TIME ZONE 'Europe/London')::date AS settlement_date,
       (1 + extract(epoch FROM h.period_start
                    - (h.period_start AT TIME ZONE 'Europe/London')::date::timestamp
                      AT TIME ZONE 'Europe/London') / 1800)::integer AS settlement_period,
       h.forecast_gco2_kwh, h.actual_gco2_kwh, h.intensity_index,
       {{ shares("h") }},
       CASE WHEN h.has_mix
            THEN {% for fuel in fuels %}coalesce(h.{{ fuel.column }}, 0){{ " + " if not loop.last }}{% endfor %}

       END AS total_pct
FROM half_hour AS h
WHERE h.period_start <= now();

COMMENT ON VIEW reporting.telemetry IS 'Carbon intensity and generation mix: one row per half-hour that has begun and has either.';
COMMENT ON COLUMN reporting.telemetry.settlement_date IS 'Settlement date: the day in London.';
COMMENT ON COLUMN reporting.telemetry.settlement_period IS 'Settlement period of that day, from 1; a day has 46, 48 or 50.';
COMMENT ON COLUMN reporting.telemetry.total_pct IS 'Sum of the nine shares, %: exactly 100, or null if there is no mix.';
{{ inherit_comments("reporting.telemetry", "core.intensity", "core.generation_mix") }}
