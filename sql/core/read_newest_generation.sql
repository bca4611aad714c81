-- The newest capture of every half-hour of the window that has begun, as published.
{% from "macros.sql" import shares %}
SELECT DISTINCT ON (period_start)
       period_start, captured_at, {{ shares() }}, unknown_pct
FROM raw.generation
WHERE period_start >= %(start)s
  AND period_start < %(end)s
  AND period_start <= %(now)s
ORDER BY period_start, captured_at DESC
