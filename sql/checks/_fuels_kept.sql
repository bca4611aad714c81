-- Half-hours that would lose the share of a fuel that {{ table }} has, if there are more than
-- %(withdrawn)s and they are most of those known. Fewer are a correction by the source. If most of
-- a window loses a fuel, the source has left it out or renamed it.
{% from "macros.sql" import is_same %}
{% set keys = keys | default([]) %}
WITH known AS (
    SELECT core.period_start,
           concat_ws(', ',
               {% for fuel in fuels if fuel.name != "other" %}
               CASE WHEN core.{{ fuel.column }} > 0 AND staged.{{ fuel.column }} IS NULL
                    THEN '{{ fuel.name }}' END{{ "," if not loop.last }}
               {% endfor %}
           ) AS lost
    FROM {{ table }} AS core
    JOIN staged ON {{ is_same("core", "staged", keys) }}
), counted AS (
    SELECT count(*) AS known, count(*) FILTER (WHERE lost <> '') AS lost FROM known
)
SELECT known.period_start,
       counted.lost || ' of ' || counted.known || ' half-hours would lose a fuel: ' || known.lost
           AS detail,
       counted.lost AS total
FROM known
CROSS JOIN counted
WHERE known.lost <> '' AND counted.lost > %(withdrawn)s AND 2 * counted.lost > counted.known
ORDER BY known.period_start
LIMIT 10
