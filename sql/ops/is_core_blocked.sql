-- Whether a blocking check stopped the last attempt at the newest days of either table of core.
SELECT bool_or(error_type = 'BlockingCheckFailed')
FROM (SELECT DISTINCT ON (asset) error_type
      FROM ops.etl_runs
      WHERE asset IN ('core.intensity', 'core.generation_mix') AND partition_end >= %(since)s
        AND started_at <= now()
      ORDER BY asset, started_at DESC) AS last
