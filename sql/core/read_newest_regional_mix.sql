-- Of every region and half-hour of the window that has begun the mix that was received last, as
-- published. A row without any share does not replace an earlier one.
{% from "macros.sql" import shares %}
SELECT DISTINCT ON (region_id, period_start)
       region_id, simulated, period_start, captured_at, arrival, {{ shares() }}, unknown_pct
FROM raw.regional
-- each region's part of the index is looked up by itself
WHERE region_id = ANY (ARRAY(SELECT region_id FROM core.regions))
  AND period_start >= %(start)s
  AND period_start < %(end)s
  AND period_start <= least(%(now)s, now())
  AND num_nonnulls({{ shares() }}) > 0
ORDER BY region_id, period_start, arrival DESC, captured_at DESC
