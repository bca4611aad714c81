-- UTC days on which more half-hours than %(withdrawn)s would lose an actual that core has. A few are a
-- correction by the source; a whole stretch is a source that answers without its data.
SELECT min(core.period_start) AS period_start,
       count(*)::text || ' half-hours of that day would lose their actual' AS detail,
       count(*) OVER () AS total
FROM core.intensity AS core
JOIN staged USING (period_start)
WHERE core.actual_gco2_kwh IS NOT NULL AND staged.actual_gco2_kwh IS NULL
GROUP BY (core.period_start AT TIME ZONE 'UTC')::date
HAVING count(*) > %(withdrawn)s
ORDER BY 1
LIMIT 10
