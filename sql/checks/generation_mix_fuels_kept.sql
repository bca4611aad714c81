-- UTC days on which more half-hours than %(withdrawn)s would lose the share of a fuel that core has.
-- A few are a correction by the source; a whole stretch is a source that left out or renamed a fuel.
SELECT min(core.period_start) AS period_start,
       count(*)::text || ' half-hours of that day would lose ' || share.fuel AS detail,
       count(*) OVER () AS total
FROM core.generation_mix AS core
JOIN staged USING (period_start)
CROSS JOIN LATERAL (VALUES
    {% for fuel in fuels if fuel.name != "other" %}
    ('{{ fuel.name }}', core.{{ fuel.column }}, staged.{{ fuel.column }}){{ "," if not loop.last }}
    {% endfor %}
) AS share (fuel, known_pct, staged_pct)
WHERE share.known_pct > 0 AND share.staged_pct IS NULL
GROUP BY (core.period_start AT TIME ZONE 'UTC')::date, share.fuel
HAVING count(*) > %(withdrawn)s
ORDER BY 1, share.fuel
LIMIT 10
