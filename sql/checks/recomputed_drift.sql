-- Whether the published carbon intensity and the recomputed one have drifted apart, in one row each:
-- the mean difference of the last 24 hours with both is more than %(drift)s gCO2/kWh from that of
-- the 28 days before them; or the published changes fit the recomputed ones of another half-hour
-- than before. The difference itself is steady and says nothing. The published value of a half-hour
-- has mostly fitted the recomputed one of the next, so that is what it is compared with.
WITH paired AS (
    SELECT i.period_start, i.actual_gco2_kwh AS published,
           same.recomputed_gco2_kwh AS same, next.recomputed_gco2_kwh AS next
    FROM core.intensity AS i
    JOIN core.generation_mw AS same ON same.period_start = i.period_start
    JOIN core.generation_mw AS next ON next.period_start = i.period_start + interval '30 minutes'
    WHERE i.period_start > %(now)s::timestamptz - interval '30 days' AND i.period_start <= %(now)s
      AND i.actual_gco2_kwh IS NOT NULL AND same.recomputed_gco2_kwh IS NOT NULL
      AND next.recomputed_gco2_kwh IS NOT NULL
), changed AS (
    SELECT period_start, published - next AS difference,
           abs(published - lag(published) OVER w - same + lag(same) OVER w) AS misfit_same,
           abs(published - lag(published) OVER w - next + lag(next) OVER w) AS misfit_next,
           lag(period_start) OVER w = period_start - interval '30 minutes' AS follows,
           max(period_start) OVER () - interval '24 hours' < period_start AS is_last_day
    FROM paired
    WINDOW w AS (ORDER BY period_start)
), measured AS (
    SELECT is_last_day, count(*) AS n, max(period_start) AS newest, avg(difference) AS difference,
           avg(misfit_same) FILTER (WHERE follows) AS misfit_same,
           avg(misfit_next) FILTER (WHERE follows) AS misfit_next
    FROM changed
    GROUP BY is_last_day
), compared AS (
    SELECT now.newest, now.difference - before.difference AS drift,
           'published less recomputed is ' || round(now.difference, 1) || ' gCO2/kWh over the last day, '
               || round(before.difference, 1) || ' in the 28 days before' AS apart,
           (now.misfit_same < now.misfit_next) <> (before.misfit_same < before.misfit_next) AS has_moved,
           'published changes fit the recomputed ones of the '
               || CASE WHEN now.misfit_same < now.misfit_next THEN 'same' ELSE 'next' END
               || ' half-hour best over the last day (' || round(now.misfit_same, 1) || ' against '
               || round(now.misfit_next, 1) || ' gCO2/kWh), those of the other one in the 28 days before'
               AS moved
    FROM measured AS now
    JOIN measured AS before ON now.is_last_day AND NOT before.is_last_day
    -- in fewer half-hours, one odd value decides
    WHERE now.n >= 36 AND before.n >= 7 * 48
)
SELECT newest AS period_start, found.detail, count(*) OVER () AS total
FROM compared
CROSS JOIN LATERAL (VALUES (abs(drift) > %(drift)s, apart), (has_moved, moved)) AS found (is_so, detail)
WHERE found.is_so
