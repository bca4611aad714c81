-- The outlook as known at an instant, from then to an end.
SELECT series, period_start, value_mw
FROM core.outlook_as_known_at(%(at)s)
WHERE period_start >= %(at)s AND period_start < %(end)s
ORDER BY series, period_start
