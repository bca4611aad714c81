-- Who holds a lock: the transaction that marked its row, by its session. Seconds are null where the
-- session belongs to a user whose details this one may not see.
SELECT session.application_name, session.pid, session.usename,
       extract(epoch FROM clock_timestamp() - session.xact_start)::integer AS seconds
FROM ops.locks AS lock
JOIN pg_locks AS held ON held.locktype = 'transactionid' AND held.granted
                     AND held.mode = 'ExclusiveLock' AND held.transactionid = lock.xmax
JOIN pg_stat_activity AS session ON session.pid = held.pid
WHERE lock.name = %(name)s
