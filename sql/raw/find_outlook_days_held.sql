-- How many publications of each source raw holds by UTC day of publication.
SELECT source, (published_at AT TIME ZONE 'UTC')::date AS day, count(DISTINCT published_at)
FROM raw.outlook_publications
WHERE published_at >= %(start)s AND published_at < %(end)s
GROUP BY source, day
