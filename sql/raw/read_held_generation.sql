-- What was received last of each half-hour of a span from Elexon.
SELECT DISTINCT ON (period_start) period_start, published_at, generation_mw, demand_mw
FROM raw.elexon_generation
WHERE period_start >= %(first)s AND period_start <= %(last)s
ORDER BY period_start, arrival DESC, captured_at DESC
