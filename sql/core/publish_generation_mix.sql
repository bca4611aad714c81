-- Publishes staged rows to core.generation_mix; unchanged rows are not rewritten. other_pct is left
-- out because the table derives it.
{% from "macros.sql" import shares %}
{% set named = fuels | rejectattr("name", "equalto", "other") | list %}
INSERT INTO core.generation_mix AS published
    (period_start, {{ shares("", named) }},
     published_total_pct, adjustment, captured_at)
SELECT period_start, {{ shares("", named) }},
       published_total_pct, adjustment, captured_at
FROM staged
ON CONFLICT (period_start) DO UPDATE SET
    {% for fuel in named %}
    {{ fuel.column }} = excluded.{{ fuel.column }},
    {% endfor %}
    published_total_pct = excluded.published_total_pct,
    adjustment = excluded.adjustment,
    captured_at = excluded.captured_at
WHERE ({{ shares("published", named) }},
       published.published_total_pct, published.adjustment, published.captured_at)
      IS DISTINCT FROM
      ({{ shares("excluded", named) }},
       excluded.published_total_pct, excluded.adjustment, excluded.captured_at)
