-- The number of rows that any program has ever inserted, updated or deleted in our tables, from the
-- server's statistics, which take a moment; NULL if the server keeps none. Dagster's are left out.
SELECT CASE WHEN current_setting('track_counts')::boolean
            THEN sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint END
FROM pg_stat_user_tables
WHERE schemaname IN ('raw', 'core', 'forecast', 'ops')
