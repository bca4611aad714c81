-- Series whose newest publication is more than six hours old. Wind is published eight times a day, at
-- most four hours apart, the others every half-hour or hour. A series that was never published is
-- left out: its source may be switched off.
SELECT newest AS period_start, series || ' was last published then' AS detail, count(*) OVER () AS total
FROM (SELECT known.series, max(last.known_from) AS newest
      FROM core.outlook_sources AS known
      CROSS JOIN LATERAL (SELECT max(o.known_from) AS known_from
                          FROM core.outlook AS o
                          WHERE o.series = known.series AND o.source = known.source
                            AND o.known_from <= %(now)s) AS last
      GROUP BY known.series) AS found
WHERE newest < %(now)s::timestamptz - interval '6 hours'
ORDER BY series
LIMIT 10
