-- What was captured of the publications of a span, in their order, and what core says of them.
SELECT p.source, p.series, p.published_at, p.captured_at, p.minutes, p.first_label, p.values_mw, p.simulated,
       p.captured_at = min(p.captured_at) OVER (PARTITION BY p.source, p.series, p.published_at) AS is_first,
       o.suspect
FROM raw.outlook_publications AS p
LEFT JOIN core.outlook AS o
       ON (o.series, o.source, o.published_at, o.captured_at) = (p.series, p.source, p.published_at, p.captured_at)
WHERE p.published_at >= %(start)s AND p.published_at < %(end)s
ORDER BY p.source, p.series, p.published_at, p.captured_at
