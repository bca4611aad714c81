-- What was received last of every half-hour of the window that has begun, as published.
{% from "macros.sql" import shares %}
SELECT DISTINCT ON (period_start)
       period_start, captured_at, arrival, {{ shares() }}, unknown_pct
FROM raw.generation
WHERE period_start >= %(start)s
  AND period_start < %(end)s
  AND period_start <= least(%(now)s, now())
ORDER BY period_start, arrival DESC, captured_at DESC
