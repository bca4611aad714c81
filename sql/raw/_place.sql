-- Moves the staged rows of {{ table }} that were captured before one that is there to their place
-- before it: they take its number, and their earlier stamp puts them first. Records that were
-- quarantined then become what they were, and not what was received last. Rows equal to the one
-- before or after add nothing. The columns of `carried` are kept too, but not compared.
-- A row is found by its half-hour and by the columns of `keys`, if there are any.
{% from "macros.sql" import is_same %}
{% set carried = carried | default([]) %}
{% set keys = keys | default([]) %}
{% set key = (keys + ["period_start"]) | join(", ") %}
{% macro row(of) %}
({% for column in columns %}{{ of }}.{{ column }}{{ ", " if not loop.last }}{% endfor %})
{%- endmacro %}
WITH following AS (
    SELECT DISTINCT ON (r.{{ (keys + ["period_start"]) | join(", r.") }}) r.*
    FROM staged AS s
    JOIN {{ table }} AS r
      ON {{ is_same("r", "s", keys) }} AND r.captured_at > s.captured_at AND r.captured_at <= now()
    ORDER BY r.{{ (keys + ["period_start"]) | join(", r.") }}, r.arrival, r.captured_at
), late AS (
    DELETE FROM staged AS s USING following AS f WHERE {{ is_same("f", "s", keys) }}
    RETURNING s.{{ (keys + ["period_start"]) | join(", s.") }}, s.captured_at, s.{{ (columns + carried) | join(", s.") }}
)
INSERT INTO {{ table }} ({{ key }}, captured_at, arrival, {{ (columns + carried) | join(", ") }})
OVERRIDING SYSTEM VALUE
SELECT late.{{ (keys + ["period_start"]) | join(", late.") }}, late.captured_at, following.arrival, late.{{ (columns + carried) | join(", late.") }}
FROM late
JOIN following USING ({{ key }})
LEFT JOIN LATERAL (
    SELECT b.* FROM {{ table }} AS b
    WHERE {{ is_same("b", "late", keys) }}
      AND (b.arrival, b.captured_at) < (following.arrival, late.captured_at)
    ORDER BY b.arrival DESC, b.captured_at DESC LIMIT 1
) AS before ON true
WHERE {{ row("late") }} IS DISTINCT FROM {{ row("following") }}
  AND (before.period_start IS NULL OR {{ row("late") }} IS DISTINCT FROM {{ row("before") }})
ON CONFLICT ({{ key }}, captured_at) DO NOTHING
