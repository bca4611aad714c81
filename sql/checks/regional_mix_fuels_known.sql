-- Half-hours of regions in the window published with a fuel outside the nine, or without one of them.
{% from "macros.sql" import shares %}
SELECT core.period_start,
       region.short_name || ': '
           || concat_ws('; ', 'unknown: ' || nullif(raw.unknown_pct, '{}')::text,
                        'missing: ' || nullif(concat_ws(', ',
                            {% for fuel in fuels %}
                            CASE WHEN raw.{{ fuel.column }} IS NULL THEN '{{ fuel.name }}' END{{ "," if not loop.last }}
                            {% endfor %}
                        ), '')) AS detail,
       count(*) OVER () AS total
FROM core.regions AS region
JOIN core.regional_mix AS core
  ON core.region_id = region.region_id AND core.period_start >= %(start)s AND core.period_start < %(end)s
JOIN raw.regional AS raw
  ON (raw.region_id, raw.period_start, raw.captured_at) = (core.region_id, core.period_start, core.captured_at)
WHERE raw.unknown_pct <> '{}' OR num_nulls({{ shares("raw") }}) > 0
ORDER BY core.period_start DESC, region.region_id
LIMIT 10
