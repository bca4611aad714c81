-- Past UTC days that have telemetry and no issue of the model. A refused issue counts as one until
-- core changes on that day or in the nine days before it, which its contexts reach: history is
-- loaded newest first, so the missing half-hours may have arrived since. One stamped later than now,
-- by a wrong clock, does not count.
WITH day AS (
    SELECT DISTINCT (period_start AT TIME ZONE 'UTC')::date AS day
    FROM core.intensity
    WHERE period_start >= %(start)s AND period_start < %(end)s
)
SELECT d.day
FROM day AS d
WHERE NOT EXISTS (
    SELECT FROM forecast.issues AS i
    WHERE i.model = %(model)s
      AND i.issued_at >= d.day::timestamp AT TIME ZONE 'UTC'
      AND i.issued_at < (d.day + 1)::timestamp AT TIME ZONE 'UTC'
      AND (i.refused_reason IS NULL OR i.created_at <= now() + %(tolerance)s::interval AND NOT EXISTS (
          SELECT FROM ops.etl_runs AS e
          WHERE e.asset IN ('core.intensity', 'core.generation_mix')
            AND e.rows_written > 0 AND e.finished_at > i.created_at AND e.finished_at <= now()
            AND e.partition_start <= d.day AND e.partition_end >= d.day - 9)))
ORDER BY d.day
