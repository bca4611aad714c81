-- The newest capture of the newest publication of each source and series that has one by an instant.
SELECT known.source, newest.published_at, newest.first_label, newest.minutes, newest.values_mw
FROM core.outlook_sources AS known
CROSS JOIN LATERAL (
    SELECT p.published_at, p.first_label, p.minutes, p.values_mw
    FROM raw.outlook_publications AS p
    WHERE p.source = known.source AND p.series = known.series AND p.published_at <= %(now)s
    ORDER BY p.published_at DESC, p.captured_at DESC LIMIT 1
) AS newest
