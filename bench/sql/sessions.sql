-- Connections ever opened to this server by clients, and those of others that are open now.
SELECT (SELECT sum(sessions)::bigint FROM pg_stat_database),
       (SELECT count(*) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid())
