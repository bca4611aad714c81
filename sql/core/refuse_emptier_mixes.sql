-- Takes from the staged mixes those that lack a fuel which core has in the same half-hour: a fuller
-- mix is not replaced by an emptier one. Returns what was published, and the fuels that it lacks.
{% from "macros.sql" import shares %}
WITH emptier AS (
    DELETE FROM staged
    USING core.generation_mix AS core
    CROSS JOIN LATERAL (SELECT concat_ws(', ',
        {% for fuel in fuels if fuel.name != "other" %}
        CASE WHEN core.{{ fuel.column }} > 0 THEN '{{ fuel.name }}' END{{ "," if not loop.last }}
        {% endfor %}
    )) AS had (fuels)
    WHERE core.period_start = staged.period_start
      AND (
        {% for fuel in fuels if fuel.name != "other" %}
        core.{{ fuel.column }} > 0 AND staged.{{ fuel.column }} IS NULL{{ " OR" if not loop.last }}
        {% endfor %}
      )
    RETURNING staged.period_start, staged.captured_at, had.fuels
)
SELECT e.fuels, r.period_start, r.arrival, {{ shares("r") }}, r.unknown_pct
FROM emptier AS e
JOIN raw.generation AS r USING (period_start, captured_at)
ORDER BY r.period_start
