-- The outlook as known at each of many issue times, cut to what a model sees: by issue and series,
-- the half-hours counted from the issue time, and their values.
SELECT issue.place, known.series,
       array_agg((date_part('epoch', known.period_start - issue.at) / 1800)::integer) AS steps,
       array_agg(known.value_mw) AS values_mw
FROM unnest(%(issue_times)s::timestamptz[]) WITH ORDINALITY AS issue (at, place)
CROSS JOIN LATERAL core.outlook_as_known_at(issue.at) AS known
WHERE known.period_start >= issue.at - %(back)s::interval
  AND known.period_start < issue.at + %(ahead)s::interval
GROUP BY issue.place, known.series
