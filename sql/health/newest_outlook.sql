-- When the newest publication of each series of the outlook became known.
SELECT known.series, max(newest.known_from)
FROM core.outlook_sources AS known
CROSS JOIN LATERAL (SELECT max(o.known_from) AS known_from
                    FROM core.outlook AS o
                    WHERE o.series = known.series AND o.source = known.source
                      AND o.known_from <= %(now)s) AS newest
GROUP BY known.series
HAVING max(newest.known_from) IS NOT NULL
