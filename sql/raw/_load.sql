-- Adds the staged rows of {{ table }} that differ from the capture before them, and from the one
-- after them, which another process may have loaded first. New half-hours, in a first load all of
-- them, are found by one hash join and need no comparison.
{% macro row(of) %}
({% for column in columns %}{{ of }}.{{ column }}{{ ", " if not loop.last }}{% endfor %})
{%- endmacro %}
INSERT INTO {{ table }} (period_start, captured_at, {{ columns | join(", ") }})
SELECT s.period_start, s.captured_at, s.{{ columns | join(", s.") }}
FROM staged AS s
WHERE s.period_start NOT IN (
    SELECT known.period_start
    FROM {{ table }} AS known
    WHERE known.period_start >= (SELECT min(period_start) FROM staged)
      AND known.period_start <= (SELECT max(period_start) FROM staged)
)
OR NOT EXISTS (
    SELECT FROM (
        (SELECT b.*
         FROM {{ table }} AS b
         WHERE b.period_start = s.period_start AND b.captured_at <= s.captured_at
         ORDER BY b.captured_at DESC LIMIT 1)
        UNION ALL
        (SELECT a.*
         FROM {{ table }} AS a
         WHERE a.period_start = s.period_start AND a.captured_at > s.captured_at
         ORDER BY a.captured_at LIMIT 1)
    ) AS neighbour
    WHERE {{ row("neighbour") }} IS NOT DISTINCT FROM {{ row("s") }}
)
ON CONFLICT (period_start, captured_at) DO NOTHING
