-- Moves the staged rows of {{ table }} that were captured before one that is there to their place
-- before it: they take its number, and their earlier stamp puts them first. Records that were
-- quarantined then become what they were, and not what was received last. Rows equal to the one
-- before or after add nothing. The columns of `carried` are kept too, but not compared.
{% set carried = carried | default([]) %}
{% macro row(of) %}
({% for column in columns %}{{ of }}.{{ column }}{{ ", " if not loop.last }}{% endfor %})
{%- endmacro %}
WITH following AS (
    SELECT DISTINCT ON (r.period_start) r.*
    FROM staged AS s
    JOIN {{ table }} AS r
      ON r.period_start = s.period_start AND r.captured_at > s.captured_at AND r.captured_at <= now()
    ORDER BY r.period_start, r.arrival, r.captured_at
), late AS (
    DELETE FROM staged AS s USING following AS f WHERE f.period_start = s.period_start
    RETURNING s.period_start, s.captured_at, s.{{ (columns + carried) | join(", s.") }}
)
INSERT INTO {{ table }} (period_start, captured_at, arrival, {{ (columns + carried) | join(", ") }})
OVERRIDING SYSTEM VALUE
SELECT late.period_start, late.captured_at, following.arrival, late.{{ (columns + carried) | join(", late.") }}
FROM late
JOIN following USING (period_start)
LEFT JOIN LATERAL (
    SELECT b.* FROM {{ table }} AS b
    WHERE b.period_start = late.period_start
      AND (b.arrival, b.captured_at) < (following.arrival, late.captured_at)
    ORDER BY b.arrival DESC, b.captured_at DESC LIMIT 1
) AS before ON true
WHERE {{ row("late") }} IS DISTINCT FROM {{ row("following") }}
  AND (before.period_start IS NULL OR {{ row("late") }} IS DISTINCT FROM {{ row("before") }})
ON CONFLICT (period_start, captured_at) DO NOTHING
