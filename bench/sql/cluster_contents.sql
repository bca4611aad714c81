-- What a cluster and a single machine must agree on, of the days `first` to `last`: by table, a hash
-- of all rows and their number. Times of capture and creation differ, and are left out, and so do the
-- numbers of arrivals, which go through all half-hours: here they count the values of each half-hour.
WITH bounds AS (
    SELECT %(first)s::date::timestamp AT TIME ZONE 'UTC' AS first,
           (%(last)s::date + 1)::timestamp AT TIME ZONE 'UTC' AS ends,
           %(backtest)s::date::timestamp AT TIME ZONE 'UTC' AS backtest
), contents (relation, row) AS (
    SELECT 'raw.intensity', (to_jsonb(r) - '{captured_at,arrival}'::text[] || jsonb_build_object(
               'n', row_number() OVER (PARTITION BY period_start ORDER BY arrival)))::text
    FROM raw.intensity AS r, bounds WHERE period_start >= first AND period_start < ends
    UNION ALL
    SELECT 'raw.generation', (to_jsonb(r) - '{captured_at,arrival}'::text[] || jsonb_build_object(
               'n', row_number() OVER (PARTITION BY period_start ORDER BY arrival)))::text
    FROM raw.generation AS r, bounds WHERE period_start >= first AND period_start < ends
    UNION ALL
    SELECT 'core.intensity', (to_jsonb(c) - '{captured_at,known_at}'::text[])::text
    FROM core.intensity AS c, bounds WHERE period_start >= first AND period_start < ends
    UNION ALL
    SELECT 'core.generation_mix', (to_jsonb(c) - '{captured_at,known_at}'::text[])::text
    FROM core.generation_mix AS c, bounds WHERE period_start >= first AND period_start < ends
    UNION ALL
    SELECT 'forecast.archive', (to_jsonb(a) - 'created_at')::text
    FROM forecast.archive AS a, bounds WHERE issued_at >= backtest AND issued_at < ends
    UNION ALL
    SELECT 'forecast.accuracy', to_jsonb(a)::text
    FROM forecast.accuracy AS a
    WHERE target_date BETWEEN %(backtest)s AND %(last)s AND model <> 'neso'
)
SELECT relation, md5(string_agg(row, E'\n' ORDER BY row)), count(*)::integer
FROM contents
GROUP BY relation
ORDER BY relation
