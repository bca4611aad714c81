-- The outlook as known now, from the last 24 hours to the end of what is shown, MW.
SELECT series, period_start, published_at, value_mw, source, suspect, simulated
FROM reporting.outlook_as_known_at(%(now)s)
WHERE period_start >= %(since)s AND period_start < %(until)s
ORDER BY series, period_start
