-- Adds the staged rows of {{ table }} that differ from what was received last of their half-hour.
-- A row equal to the last one is added only if that one is stamped later than now: a clock was
-- wrong then, and this is when the value was surely known. The order of arrival decides what came
-- last, so a clock that is put back loses nothing: a stamp that is taken grows by microseconds.
-- The columns of `carried` are kept too, but a change of theirs alone adds no row.
-- A row is found by its half-hour and by the columns of `keys`, if there are any.
{% from "macros.sql" import is_same %}
{% set carried = carried | default([]) %}
{% set keys = keys | default([]) %}
{% set key = (keys + ["period_start"]) | join(", ") %}
{% macro row(of) %}
({% for column in columns %}{{ of }}.{{ column }}{{ ", " if not loop.last }}{% endfor %})
{%- endmacro %}
{% macro is_taken(stamp) %}
EXISTS (SELECT FROM {{ table }} AS taken
        WHERE {{ is_same("taken", "s", keys) }} AND taken.captured_at = {{ stamp }})
{%- endmacro %}
WITH last AS MATERIALIZED (
    SELECT DISTINCT ON ({{ key }})
           *, max(captured_at) OVER (PARTITION BY {{ key }}) AS latest_stamp
    FROM {{ table }}
    WHERE period_start >= (SELECT min(period_start) FROM staged)
      AND period_start <= (SELECT max(period_start) FROM staged)
      {% for column in keys %}
      AND {{ column }} = ANY (ARRAY(SELECT DISTINCT {{ column }} FROM staged))
      {% endfor %}
    ORDER BY {{ key }}, arrival DESC, captured_at DESC
)
INSERT INTO {{ table }} ({{ key }}, captured_at, {{ (columns + carried) | join(", ") }})
SELECT s.{{ (keys + ["period_start"]) | join(", s.") }},
       CASE WHEN (s.captured_at <= last.latest_stamp) IS NOT TRUE OR NOT {{ is_taken("s.captured_at") }}
            THEN s.captured_at
            ELSE (SELECT stamp
                  FROM generate_series(1, 1000) AS n
                  CROSS JOIN LATERAL (SELECT s.captured_at + n * interval '1 microsecond') AS later (stamp)
                  WHERE NOT {{ is_taken("stamp") }}
                  ORDER BY n LIMIT 1) END,
       s.{{ (columns + carried) | join(", s.") }}
FROM staged AS s
LEFT JOIN last ON {{ is_same("last", "s", keys) }}
WHERE last.period_start IS NULL
   OR {{ row("s") }} IS DISTINCT FROM {{ row("last") }}
   OR (last.captured_at > now() + %(tolerance)s::interval
       AND s.captured_at <= now() + %(tolerance)s::interval)
ON CONFLICT ({{ key }}, captured_at) DO NOTHING
