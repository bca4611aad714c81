-- Starts since an instant by what came of them, and refused or unsent wake-ups by kind.
SELECT status, CASE WHEN status IN ('refused', 'unsent') THEN error_type END AS kind,
       sum(times), max(CASE WHEN status IN ('refused', 'unsent') THEN error_message END)
FROM ops.wakeups
WHERE coalesce(finished_at, woken_at) > %(since)s
GROUP BY 1, 2
ORDER BY 1, 2
