-- What is open in quarantine and was first received since `since`: how many entries, of which relations,
-- and the newest reason; no row if nothing is.
SELECT count(*), string_agg(DISTINCT asset, ', ' ORDER BY asset),
       (array_agg(reason ORDER BY captured_at DESC))[1]
FROM ops.quarantine
WHERE resolved_at IS NULL AND captured_at > %(since)s
HAVING count(*) > 0
