-- Staged mixes that do not sum to exactly 100 once rounded as in the table.
SELECT period_start, total_pct::text AS detail, count(*) OVER () AS total
FROM staged
CROSS JOIN LATERAL (SELECT
    {% for fuel in fuels %}
    {% set share = fuel.column if fuel.name == "other" else "coalesce(" ~ fuel.column ~ ", 0)" %}
    {{ share }}::numeric(6, 1){{ " +" if not loop.last }}
    {% endfor %}
    ) AS mix (total_pct)
WHERE total_pct IS DISTINCT FROM 100
ORDER BY period_start
LIMIT 10
