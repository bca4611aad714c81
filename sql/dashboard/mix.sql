-- Shares of the nine fuels in the last 24 hours, and in the newest half-hour if that is older.
SELECT period_start, fuel, pct
FROM reporting.generation_mix_24h
UNION
SELECT period_start, fuel, pct
FROM reporting.generation_mix
WHERE period_start = %(newest)s
ORDER BY period_start, fuel
