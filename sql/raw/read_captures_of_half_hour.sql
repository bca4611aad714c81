-- What was received of a half-hour from Elexon, capture by capture.
SELECT captured_at, generation_mw, demand_mw
FROM raw.elexon_generation
WHERE period_start = %(start)s
ORDER BY captured_at
