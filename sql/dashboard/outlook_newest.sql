-- The newest publication of each source of the outlook.
SELECT series, source, published_at, known_from, suspect, reason
FROM reporting.outlook_newest
ORDER BY series, known_from DESC
