-- One half-hour and group of fuels, so that an average over half-hours is right for a group.
{% from "macros.sql" import added_up, inherit_comments, settlement_date, settlement_period %}
CREATE VIEW reporting.generation_groups AS
SELECT mix.period_start, share.fuel_group, share.fuel_group_label, share.pct,
       -- both or neither, so that their sums are of the same half-hours
       CASE WHEN total.mw IS NOT NULL THEN share.mw END AS mw, total.mw AS generation_mw,
       power.demand_mw,
       mix.period_start AT TIME ZONE 'Europe/London' AS period_start_london,
       {{ settlement_date("mix.period_start") }} AS settlement_date, london.settlement_period
FROM core.generation_mix AS mix
LEFT JOIN core.generation_mw AS power USING (period_start)
CROSS JOIN LATERAL (SELECT
    {% for fuel in fuels %}power.{{ fuel.name }}_mw{{ " + " if not loop.last }}{% endfor %}) AS total (mw)
-- OFFSET 0, so that it is computed once for a half-hour and not for each of its rows
CROSS JOIN LATERAL (SELECT {{ settlement_period("mix.period_start") }} AS settlement_period OFFSET 0) AS london
CROSS JOIN LATERAL (VALUES
    {% for group, some in fuel_groups.items() %}
    ('{{ group }}', '{{ fuel_group_labels[group] }}', {{ added_up(some, "mix") }},
     {% for fuel in some %}power.{{ fuel }}_mw{{ " + " if not loop.last }}{% endfor %}){{ "," if not loop.last }}
    {% endfor %}
) AS share (fuel_group, fuel_group_label, pct, mw)
WHERE mix.period_start <= now();

COMMENT ON VIEW reporting.generation_groups IS 'Generation mix by group of fuels: one row per half-hour that has begun and group. The groups of a half-hour sum to exactly 100 %. Over several half-hours, avg(pct) is the mean over time, sum(pct * demand_mw) / sum(demand_mw) the mean weighted by demand, and 100 * sum(mw) / sum(generation_mw) the share of energy.';
COMMENT ON COLUMN reporting.generation_groups.pct IS 'Share of the fuels of the group together, %. A fuel without a share counts as 0; its power is in other.';
COMMENT ON COLUMN reporting.generation_groups.mw IS 'Generation of the fuels of the group together, MW: a second measurement, from which pct is not made. Null where any of the nine fuels is not known.';
COMMENT ON COLUMN reporting.generation_groups.generation_mw IS 'Generation of all nine fuels, imports included, MW, the same for each group of a half-hour. Null where any of the nine is not known.';
{{ inherit_comments("reporting.generation_groups", "reporting.generation_mix", "core.generation_mw") }}
