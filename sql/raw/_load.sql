-- Adds the staged rows of {{ table }} that differ from what was received last of their half-hour.
-- A row equal to the last one is added only if that one is stamped later than now: a clock was
-- wrong then, and this is when the value was surely known. The order of arrival decides what came
-- last, so a clock that is put back loses nothing: a stamp that is taken grows by microseconds.
-- The columns of `carried` are kept too, but a change of theirs alone adds no row.
{% set carried = carried | default([]) %}
{% macro row(of) %}
({% for column in columns %}{{ of }}.{{ column }}{{ ", " if not loop.last }}{% endfor %})
{%- endmacro %}
{% macro is_taken(stamp) %}
EXISTS (SELECT FROM {{ table }} AS taken
        WHERE taken.period_start = s.period_start AND taken.captured_at = {{ stamp }})
{%- endmacro %}
WITH last AS MATERIALIZED (
    SELECT DISTINCT ON (period_start)
           *, max(captured_at) OVER (PARTITION BY period_start) AS latest_stamp
    FROM {{ table }}
    WHERE period_start >= (SELECT min(period_start) FROM staged)
      AND period_start <= (SELECT max(period_start) FROM staged)
    ORDER BY period_start, arrival DESC, captured_at DESC
)
INSERT INTO {{ table }} (period_start, captured_at, {{ (columns + carried) | join(", ") }})
SELECT s.period_start,
       CASE WHEN (s.captured_at <= last.latest_stamp) IS NOT TRUE OR NOT {{ is_taken("s.captured_at") }}
            THEN s.captured_at
            ELSE (SELECT stamp
                  FROM generate_series(1, 1000) AS n
                  CROSS JOIN LATERAL (SELECT s.captured_at + n * interval '1 microsecond') AS later (stamp)
                  WHERE NOT {{ is_taken("stamp") }}
                  ORDER BY n LIMIT 1) END,
       s.{{ (columns + carried) | join(", s.") }}
FROM staged AS s
LEFT JOIN last ON last.period_start = s.period_start
WHERE last.period_start IS NULL
   OR {{ row("s") }} IS DISTINCT FROM {{ row("last") }}
   OR (last.captured_at > now() + %(tolerance)s::interval
       AND s.captured_at <= now() + %(tolerance)s::interval)
ON CONFLICT (period_start, captured_at) DO NOTHING
