-- One half-hour that has begun and fuel: the share as published, and in the mix that sums to exactly 100.
{% from "macros.sql" import inherit_comments %}
CREATE VIEW reporting.generation_mix AS
SELECT mix.period_start, share.fuel, share.fuel_group, share.published_pct, share.pct
FROM core.generation_mix AS mix
LEFT JOIN raw.generation AS published USING (period_start, captured_at)
CROSS JOIN LATERAL (VALUES
    {% for fuel in fuels %}
    ('{{ fuel.name }}', '{{ fuel.group }}', published.{{ fuel.column }}, mix.{{ fuel.column }}){{ "," if not loop.last }}
    {% endfor %}
) AS share (fuel, fuel_group, published_pct, pct)
WHERE mix.period_start <= now();

COMMENT ON VIEW reporting.generation_mix IS 'Generation mix by fuel: one row per half-hour that has begun and fuel.';
COMMENT ON COLUMN reporting.generation_mix.fuel IS 'One of the nine fuels: {{ fuels | map(attribute="name") | join(", ") }}.';
COMMENT ON COLUMN reporting.generation_mix.fuel_group IS '
{%- for group, fuels in fuel_groups.items() -%}
{{ "or " if loop.last }}{{ group }}{% if fuels | join != group %} ({{ fuels | join(", ") }}){% endif %}{{ ", " if not loop.last }}
{%- endfor -%}
. A fuel is in one group, so low_carbon is without the renewables; zero-carbon power is renewable and nuclear.';
COMMENT ON COLUMN reporting.generation_mix.published_pct IS 'Share as published, %; null for a named fuel that was not published. To combine fuels, add up, as for pct.';
COMMENT ON COLUMN reporting.generation_mix.pct IS 'Share in the mix that sums to exactly 100, %; null for a named fuel that was not published. To combine fuels, add up: sum(pct) / count(DISTINCT period_start). avg(pct) is the mean of single fuels.';
{{ inherit_comments("reporting.generation_mix", "core.generation_mix") }}
