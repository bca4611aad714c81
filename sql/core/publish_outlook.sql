-- Publishes staged rows to core.outlook; unchanged rows are not rewritten.
INSERT INTO core.outlook AS published
    (series, source, published_at, captured_at, known_from, starts_at, suspect, simulated, value_mw, reason)
SELECT series, source, published_at, captured_at, known_from, starts_at, suspect, simulated, value_mw, reason
FROM staged
ON CONFLICT (series, source, published_at, captured_at) DO UPDATE SET
    known_from = excluded.known_from,
    starts_at = excluded.starts_at,
    suspect = excluded.suspect,
    simulated = excluded.simulated,
    value_mw = excluded.value_mw,
    reason = excluded.reason
WHERE (published.known_from, published.starts_at, published.suspect, published.simulated,
       published.value_mw, published.reason)
      IS DISTINCT FROM
      (excluded.known_from, excluded.starts_at, excluded.suspect, excluded.simulated,
       excluded.value_mw, excluded.reason)
