-- Staged mixes with a share below 0, above 100 or not a number (NaN sorts above every number).
SELECT period_start, string_agg(share.fuel || ' ' || share.pct, ', ') AS detail,
       count(*) OVER () AS total
FROM staged
CROSS JOIN LATERAL (VALUES
    {% for fuel in mix %}
    ('{{ fuel.name }}', {{ fuel.column }}){{ "," if not loop.last }}
    {% endfor %}
) AS share (fuel, pct)
WHERE share.pct NOT BETWEEN 0 AND 100
GROUP BY period_start
ORDER BY period_start
LIMIT 10
