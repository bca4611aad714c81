-- Makes core.outward_codes the table that ships with this version. Rows that are the same are not
-- touched. Runs as the owner, who may delete the codes that are no longer in it.
WITH shipped AS (
    SELECT * FROM unnest(%(outward_code)s::text[], %(region_id)s::smallint[], %(share_pct)s::numeric[],
                         %(second_region_id)s::smallint[])
        AS s (outward_code, region_id, share_pct, second_region_id)
), gone AS (
    DELETE FROM core.outward_codes AS c
    WHERE NOT EXISTS (SELECT FROM shipped AS s WHERE s.outward_code = c.outward_code)
)
INSERT INTO core.outward_codes AS c (outward_code, region_id, share_pct, second_region_id)
SELECT outward_code, region_id, share_pct, second_region_id FROM shipped
ON CONFLICT (outward_code) DO UPDATE
SET region_id = excluded.region_id, share_pct = excluded.share_pct,
    second_region_id = excluded.second_region_id
WHERE (c.region_id, c.share_pct, c.second_region_id)
      IS DISTINCT FROM (excluded.region_id, excluded.share_pct, excluded.second_region_id);
