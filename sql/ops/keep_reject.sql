-- Quarantines a reject; one that is already open is counted again. Two bodies are the same only if
-- they came from the same endpoint.
INSERT INTO ops.quarantine AS kept (captured_at, asset, endpoint, reason, payload, is_body,
                                    run_id, last_seen_at)
VALUES (%(captured_at)s, %(asset)s, %(endpoint)s, %(reason)s, %(payload)s, %(is_body)s,
        %(run_id)s, %(captured_at)s)
ON CONFLICT (asset, md5(payload), (CASE WHEN is_body THEN endpoint ELSE '' END))
    WHERE resolved_at IS NULL
DO UPDATE SET reason = excluded.reason,
              last_seen_at = excluded.last_seen_at,
              times_seen = kept.times_seen + 1
