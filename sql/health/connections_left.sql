-- Connections of the server, of this user and of this database: for each, how many are open and how
-- many there may be; -1 is no limit. Those that are kept for administrators are not counted.
SELECT 'the server', (SELECT sum(numbackends)::integer FROM pg_stat_database),
       current_setting('max_connections')::integer
       - current_setting('superuser_reserved_connections')::integer
       - coalesce(current_setting('reserved_connections', true)::integer, 0)  -- since PostgreSQL 16
UNION ALL
SELECT 'user ' || rolname, (SELECT count(*)::integer FROM pg_stat_activity WHERE usesysid = r.oid),
       rolconnlimit
FROM pg_roles AS r
WHERE rolname = current_user
UNION ALL
SELECT 'database ' || d.datname, numbackends, datconnlimit
FROM pg_database AS d JOIN pg_stat_database AS s ON s.datid = d.oid
WHERE d.datname = current_database()
