-- What was captured of a half-hour by a capture that brought records which were refused, with those
-- that have been added to it since, within a second; and its stamp.
SELECT generation_mw, demand_mw, captured_at
FROM raw.elexon_generation
WHERE period_start = %(start)s AND captured_at < %(at)s::timestamptz + interval '1 second'
ORDER BY captured_at DESC
LIMIT 1
