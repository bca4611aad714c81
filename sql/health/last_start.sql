-- The last start of the model from outside.
SELECT woken_at, source, status, started_by, landed_at, finished_at, error_type, error_message,
       coalesce(retry_at, woken_at)
FROM ops.wakeups
WHERE status NOT IN ('refused', 'unsent')
ORDER BY woken_at DESC
LIMIT 1
