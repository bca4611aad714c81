-- The issue of each forecast, as the writer would have stored it.
INSERT INTO forecast.issues
    (model, issued_at, created_at, revision, intensity_to, mix_to, context_missing,
     context_assumed, known_by)
SELECT %(model)s, issue.at, issue.at - %(made_before)s::interval, %(revision)s,
       issue.at - interval '30 minutes', issue.at - interval '30 minutes', 0, 0, 'capture'
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS number (half_hour)
CROSS JOIN LATERAL (SELECT to_timestamp(number.half_hour * 1800.0)) AS issue (at)
