-- One half-hour that has begun and fuel: the share as published, and in the mix that sums to exactly 100.
{% from "macros.sql" import comments_on_london_time, inherit_comments, settlement_date, settlement_period %}
CREATE VIEW reporting.generation_mix AS
SELECT mix.period_start, share.fuel, share.fuel_group, share.published_pct, share.pct,
       share.fuel_group_label,
       mix.period_start AT TIME ZONE 'Europe/London' AS period_start_london,
       {{ settlement_date("mix.period_start") }} AS settlement_date, london.settlement_period
FROM core.generation_mix AS mix
LEFT JOIN raw.generation AS published USING (period_start, captured_at)
-- OFFSET 0, so that it is computed once for a half-hour and not for each of its rows
CROSS JOIN LATERAL (SELECT {{ settlement_period("mix.period_start") }} AS settlement_period OFFSET 0) AS london
CROSS JOIN LATERAL (VALUES
    {% for fuel in fuels %}
    ('{{ fuel.name }}', '{{ fuel.group }}', '{{ fuel_group_labels[fuel.group] }}',
     published.{{ fuel.column }}, mix.{{ fuel.column }}){{ "," if not loop.last }}
    {% endfor %}
) AS share (fuel, fuel_group, fuel_group_label, published_pct, pct)
WHERE mix.period_start <= now();

COMMENT ON VIEW reporting.generation_mix IS 'Generation mix by fuel: one row per half-hour that has begun and fuel. For groups of fuels, reporting.generation_groups has a row each.';
COMMENT ON COLUMN reporting.generation_mix.fuel IS 'One of the nine fuels: {{ fuels | map(attribute="name") | join(", ") }}.';
COMMENT ON COLUMN reporting.generation_mix.fuel_group IS '
{%- for group, fuels in fuel_groups.items() -%}
{{ "or " if loop.last }}{{ group }}{% if fuels | join != group %} ({{ fuels | join(", ") }}){% endif %}{{ ", " if not loop.last }}
{%- endfor -%}
. A fuel is in one group, so low_carbon is without the renewables; zero-carbon power is renewable and nuclear. To show a group, use fuel_group_label.';
COMMENT ON COLUMN reporting.generation_mix.published_pct IS 'Share as published, %; null for a named fuel that was not published. To combine fuels, add up, as for pct.';
COMMENT ON COLUMN reporting.generation_mix.pct IS 'Share in the mix that sums to exactly 100, %; null for a named fuel that was not published. To combine fuels, add up: sum(pct) / count(DISTINCT period_start). avg(pct) is the mean of single fuels.';
COMMENT ON COLUMN reporting.generation_mix.fuel_group_label IS 'The group by what is in it: {{ fuel_group_labels.values() | join("; ") }}.';
{{ comments_on_london_time("reporting.generation_mix") }}
{{ inherit_comments("reporting.generation_mix", "core.generation_mix") }}
