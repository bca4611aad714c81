-- The newest publication of each source of the outlook.
SELECT series, source, published_at, suspect, reason
FROM reporting.outlook_newest
ORDER BY series, published_at DESC
