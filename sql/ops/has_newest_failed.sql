-- Whether the last attempt to fetch the newest days failed, for either source.
SELECT bool_or(status = 'failed')
FROM (SELECT DISTINCT ON (asset) status
      FROM ops.etl_runs
      WHERE asset IN ('raw.intensity', 'raw.generation') AND partition_end >= %(since)s
        AND started_at <= now()
      ORDER BY asset, started_at DESC) AS last
