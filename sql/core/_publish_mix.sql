-- Publishes staged mixes to {{ table }}; unchanged rows are not rewritten. other_pct is left out
-- because the table derives it. `keys` are the columns of its key before the half-hour, and `carried`
-- others that it has.
{% from "macros.sql" import shares %}
{% set named = fuels | rejectattr("name", "equalto", "other") | list %}
{% set keys = (keys | default([])) + ["period_start"] %}
{% set carried = (carried | default([])) + ["published_total_pct", "adjustment", "captured_at"] %}
INSERT INTO {{ table }} AS published
    ({{ keys | join(", ") }}, {{ shares("", named) }}, {{ carried | join(", ") }})
SELECT {{ keys | join(", ") }}, {{ shares("", named) }}, {{ carried | join(", ") }}
FROM staged
ON CONFLICT ({{ keys | join(", ") }}) DO UPDATE SET
    {% for fuel in named %}
    {{ fuel.column }} = excluded.{{ fuel.column }},
    {% endfor %}
    {% for column in carried %}
    {{ column }} = excluded.{{ column }}{{ "," if not loop.last }}
    {% endfor %}
WHERE ({{ shares("published", named) }}, published.{{ carried | join(", published.") }})
      IS DISTINCT FROM
      ({{ shares("excluded", named) }}, excluded.{{ carried | join(", excluded.") }})
