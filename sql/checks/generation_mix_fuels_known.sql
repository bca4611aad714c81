-- Half-hours of the window published with a fuel outside the nine, or without one of the nine.
{% from "macros.sql" import shares %}
SELECT core.period_start,
       concat_ws('; ', 'unknown: ' || nullif(raw.unknown_pct, '{}')::text,
                 'missing: ' || nullif(concat_ws(', ',
                     {% for fuel in fuels %}
                     CASE WHEN raw.{{ fuel.column }} IS NULL THEN '{{ fuel.name }}' END{{ "," if not loop.last }}
                     {% endfor %}
                 ), '')) AS detail,
       count(*) OVER () AS total
FROM core.generation_mix AS core
JOIN raw.generation AS raw USING (period_start, captured_at)
WHERE core.period_start >= %(start)s AND core.period_start < %(end)s
  AND (raw.unknown_pct <> '{}'
       OR num_nulls({{ shares("raw") }}) > 0)
ORDER BY core.period_start DESC
LIMIT 10
