-- The first half-hour whose embedded estimate came after the last publication of core.generation_mw;
-- null if none did. Estimates come up to days after their half-hour.
SELECT min(e.period_start)
FROM raw.embedded_generation AS e
WHERE e.period_start >= %(since)s AND e.period_start < %(before)s
  AND e.captured_at > coalesce((SELECT max(started_at) FROM ops.etl_runs
                                WHERE asset = 'core.generation_mw' AND status = 'success'
                                  AND started_at <= now()), '-infinity')
