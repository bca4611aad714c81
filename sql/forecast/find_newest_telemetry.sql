-- Ends of the newest half-hours of core that a forecast made now may use, and whether an issue of
-- the model has used both. Telemetry older than a context is ignored; if intensity or mix has none
-- within a context, a refused issue that used the other one covers it. A refused issue counts only
-- until core changes: the missing half-hours may have arrived since. A stamp later than now, which a
-- wrong clock has set, hides no telemetry and covers none.
WITH newest AS (
    SELECT (SELECT max(period_start) + interval '30 minutes' FROM core.intensity
            WHERE actual_gco2_kwh IS NOT NULL
              AND period_start >= %(latest)s - %(context)s::interval AND period_start < %(latest)s
              AND least(coalesce(captured_at, period_start + interval '30 minutes'), now()) <= %(latest)s)
               AS intensity_to,
           (SELECT max(period_start) + interval '30 minutes' FROM core.generation_mix
            WHERE period_start >= %(latest)s - %(context)s::interval AND period_start < %(latest)s
              AND least(coalesce(captured_at, period_start + interval '30 minutes'), now()) <= %(latest)s)
               AS mix_to
)
SELECT intensity_to, mix_to,
       (intensity_to IS NULL AND mix_to IS NULL) OR EXISTS (
           SELECT FROM forecast.issues AS i
           WHERE i.model = %(model)s
             AND i.issued_at > least(newest.intensity_to, newest.mix_to) - interval '1 day'
             AND i.issued_at <= %(latest)s
             AND (newest.intensity_to IS NULL OR i.intensity_to >= newest.intensity_to)
             AND (newest.mix_to IS NULL OR i.mix_to >= newest.mix_to)
             AND (i.refused_reason IS NULL OR i.created_at <= now() + %(tolerance)s::interval AND NOT EXISTS (
                 SELECT FROM ops.etl_runs AS e
                 WHERE e.asset IN ('core.intensity', 'core.generation_mix')
                   AND e.rows_written > 0 AND e.finished_at > i.created_at AND e.finished_at <= now()))) AS covered
FROM newest
