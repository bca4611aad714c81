-- Whether the last housekeeping, or else the first migration, was long enough ago. An attempt stamped
-- later than now, by a wrong clock, does not count; nor is anything due while clocks disagree.
SELECT coalesce((SELECT max(started_at) FROM ops.etl_runs WHERE asset = %(asset)s AND started_at <= now()),
                (SELECT stamped_at FROM ops.warehouse)) < %(before)s
   AND NOT EXISTS (
       SELECT FROM ops.clocks
       WHERE greatest(ahead_of_api, -ahead_of_api, ahead_of_database, -ahead_of_database)
             > %(tolerance)s::interval)
