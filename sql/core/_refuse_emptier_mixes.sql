-- Takes from the staged mixes those that lack a fuel which {{ table }} has in the same half-hour: a
-- fuller mix is not replaced by an emptier one. Returns what was published, and the fuels that it
-- lacks. `before` are the columns before the half-hour, of which `keys` are part of the key.
{% from "macros.sql" import is_same, shares %}
{% set keys = keys | default([]) %}
{% set before = before | default([]) %}
WITH emptier AS (
    DELETE FROM staged
    USING {{ table }} AS core
    CROSS JOIN LATERAL (SELECT concat_ws(', ',
        {% for fuel in fuels if fuel.name != "other" %}
        CASE WHEN core.{{ fuel.column }} > 0 THEN '{{ fuel.name }}' END{{ "," if not loop.last }}
        {% endfor %}
    )) AS had (fuels)
    WHERE {{ is_same("core", "staged", keys) }}
      AND (
        {% for fuel in fuels if fuel.name != "other" %}
        core.{{ fuel.column }} > 0 AND staged.{{ fuel.column }} IS NULL{{ " OR" if not loop.last }}
        {% endfor %}
      )
    RETURNING {% for key in keys %}staged.{{ key }}, {% endfor %}staged.period_start, staged.captured_at, had.fuels
)
SELECT e.fuels, {% for column in before %}r.{{ column }}, {% endfor %}r.period_start, r.arrival, {{ shares("r") }}, r.unknown_pct
FROM emptier AS e
JOIN {{ published }} AS r USING ({{ (keys + ["period_start", "captured_at"]) | join(", ") }})
ORDER BY {{ (keys + ["period_start"]) | join(", ") }}
