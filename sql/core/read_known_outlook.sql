-- The outlook as known at each of many issue times, cut to what a model sees: by issue and series,
-- the half-hours counted from the issue time, and their values. Values of a suspect publication count
-- only while the series has no other for what lies ahead: beyond the end of those, they are as wrong.
WITH known AS (
    SELECT issue.place, issue.at, known.series, known.period_start, known.value_mw, known.suspect,
           bool_or(NOT known.suspect AND known.period_start >= issue.at)
               OVER (PARTITION BY issue.place, known.series) AS has_sound
    FROM unnest(%(issue_times)s::timestamptz[]) WITH ORDINALITY AS issue (at, place)
    CROSS JOIN LATERAL core.outlook_as_known_at(issue.at) AS known
    WHERE known.period_start >= issue.at - %(back)s::interval
      AND known.period_start < issue.at + %(ahead)s::interval
)
SELECT place, series, array_agg((date_part('epoch', period_start - at) / 1800)::integer) AS steps,
       array_agg(value_mw) AS values_mw
FROM known
WHERE NOT (suspect AND has_sound)
GROUP BY place, series
