-- Publications of the window that are passed over because they contradict those before them, or have
-- a time that cannot be true.
SELECT published_at AS period_start, source || ' ' || series || ' ' || reason AS detail,
       count(*) OVER () AS total
FROM core.outlook
WHERE published_at >= %(start)s AND published_at < %(end)s AND suspect
ORDER BY published_at DESC
LIMIT 10
