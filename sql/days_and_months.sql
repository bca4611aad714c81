{# The views of London days and months, each written once for both lengths (`unit`). #}
{% from "macros.sql" import added_up, comments_on_combined_shares %}

{# Every London day or month from the first half-hour of some tables to the newest one, also one
   without any. `span` has its first day, its start and its end. A filter on the day is applied to
   this list; the half-hours of what is left are found by the key of their table. #}
{% macro spans(unit) %}
(SELECT least({% for table in varargs %}(SELECT min(period_start) FROM {{ table }}){{ ", " if not loop.last }}{% endfor %}) AS oldest,
        least(now(), greatest({% for table in varargs %}(SELECT max(period_start) FROM {{ table }}){{ ", " if not loop.last }}{% endfor %})) AS newest
) AS held
CROSS JOIN LATERAL generate_series(
    date_trunc('{{ unit }}', held.oldest AT TIME ZONE 'Europe/London'),
    held.newest AT TIME ZONE 'Europe/London', interval '1 {{ unit }}') AS midnight (london)
CROSS JOIN LATERAL (SELECT
    midnight.london::date AS first_day,
    midnight.london AT TIME ZONE 'Europe/London' AS starts_at,
    (midnight.london + interval '1 {{ unit }}') AT TIME ZONE 'Europe/London' AS ends_at) AS span
{%- endmacro %}

{# The half-hours of a table in a span that have begun. #}
{% macro in_span(table) %}
{{ table }}.period_start >= span.starts_at AND {{ table }}.period_start < span.ends_at
      AND {{ table }}.period_start <= now()
{%- endmacro %}

{% macro half_hours_expected() %}
(extract(epoch FROM span.ends_at - span.starts_at) / 1800)::integer
{%- endmacro %}

{# Each fuel's part of the sums `total`, by the rule of core.generation_mix: `other` is what the named
   fuels leave. They are cut, not rounded, so that it is never below 0. #}
{% macro parts(total, of_one_percent, ending) %}
CROSS JOIN LATERAL (SELECT
    {% for fuel in named_fuels %}
    trunc({{ total }}.{{ fuel }} / nullif({{ of_one_percent }}, 0), 4) AS {{ fuel }}{{ ending }}{{ "," if not loop.last }}
    {% endfor %}) AS named
CROSS JOIN LATERAL (SELECT
    CASE WHEN {{ of_one_percent }} > 0
         THEN 100 - ({{ added_up(named_fuels, "named", ending) }}) END AS other{{ ending }}) AS rest
{%- endmacro %}

{# The columns of the nine fuels and of the combined shares. #}
{% macro shares(ending) %}
{% for fuel in fuels %}{{ "rest" if fuel.name == "other" else "named" }}.{{ fuel.name }}{{ ending }}, {% endfor %}

       {% for column, some in combined_shares.items() %}
       CASE WHEN rest.other{{ ending }} IS NOT NULL THEN {{ added_up(some, "named", ending) }} END AS {{ column | replace("_pct", ending) }}{{ "," if not loop.last }}
       {% endfor %}
{%- endmacro %}

{% macro comments_on_span(view, unit, key) %}
COMMENT ON COLUMN {{ view }}.{{ key }} IS '{{ "Settlement date: the day in London" if unit == "day" else "First day of the month in London" }}.';
COMMENT ON COLUMN {{ view }}.half_hours_expected IS 'Half-hours of the whole London {{ unit }}, ended or not: {{ "46, 48 or 50" if unit == "day" else "two less in March, two more in October" }}.';
{% endmacro %}

{# reporting.daily, reporting.monthly #}
{% macro telemetry_by(unit, name, key) %}
CREATE VIEW reporting.{{ name }} AS
SELECT span.first_day AS {{ key }}, intensity.half_hours, {{ half_hours_expected() }} AS half_hours_expected,
       intensity.mean_gco2_kwh, intensity.min_gco2_kwh, intensity.max_gco2_kwh,
       mix.half_hours AS mix_half_hours,
       {{ shares("_pct") }}
FROM {{ spans(unit, "core.intensity", "core.generation_mix") }}
CROSS JOIN LATERAL (
    SELECT count(i.actual_gco2_kwh)::integer AS half_hours,
           round(avg(i.actual_gco2_kwh), 3) AS mean_gco2_kwh,
           min(i.actual_gco2_kwh) AS min_gco2_kwh, max(i.actual_gco2_kwh) AS max_gco2_kwh
    FROM core.intensity AS i
    WHERE {{ in_span("i") }}) AS intensity
CROSS JOIN LATERAL (
    SELECT count(*)::integer AS half_hours{% for fuel in named_fuels %}, sum(m.{{ fuel }}_pct) AS {{ fuel }}{% endfor %}

    FROM core.generation_mix AS m
    WHERE {{ in_span("m") }}) AS mix
{{ parts("mix", "mix.half_hours", "_pct") }};

COMMENT ON VIEW reporting.{{ name }} IS 'Carbon intensity and generation mix by London {{ unit }}: one row per {{ unit }} from the first half-hour held to the newest, also where half-hours are missing. The newest {{ unit }} has mostly not ended. Means are over time: each half-hour counts the same. Energy, and means weighted by it, are in reporting.{{ name }}_energy.';
COMMENT ON COLUMN reporting.{{ name }}.half_hours IS 'Half-hours with a published actual, on which the intensities rest; the others are left out, never filled with a forecast. The {{ unit }} is complete where this equals half_hours_expected.';
COMMENT ON COLUMN reporting.{{ name }}.mean_gco2_kwh IS 'Mean actual of the half-hours that have one, gCO2/kWh. To combine rows, weight by half_hours.';
COMMENT ON COLUMN reporting.{{ name }}.min_gco2_kwh IS 'Lowest actual of a half-hour, gCO2/kWh.';
COMMENT ON COLUMN reporting.{{ name }}.max_gco2_kwh IS 'Highest actual of a half-hour, gCO2/kWh.';
COMMENT ON COLUMN reporting.{{ name }}.mix_half_hours IS 'Half-hours with a mix, on which the shares rest. To combine rows, weight shares by it.';
{% for fuel in named_fuels %}
COMMENT ON COLUMN reporting.{{ name }}.{{ fuel }}_pct IS 'Mean share of {{ fuel }} over the half-hours with a mix, %, cut to four decimals; null where none has one. A half-hour without it counts as 0; its power is in other.';
{% endfor %}
COMMENT ON COLUMN reporting.{{ name }}.other_pct IS 'Mean share of everything else, %: 100 minus the eight named fuels, so that the nine sum to exactly 100.';
{{ comments_on_combined_shares("reporting." ~ name, "Mean share over time of") }}
{{ comments_on_span("reporting." ~ name, unit, key) }}
{% endmacro %}

{# reporting.daily_energy, reporting.monthly_energy: of the half-hours in which all nine fuels are
   known, which are those with a recomputed intensity. #}
{% macro energy_by(unit, name, key) %}
CREATE VIEW reporting.{{ name }} AS
SELECT span.first_day AS {{ key }}, power.half_hours, {{ half_hours_expected() }} AS half_hours_expected,
       CASE WHEN known.whole THEN round(power.generation / 2000.0, 4) END AS generation_gwh,
       {% for fuel in fuels %}
       CASE WHEN known.whole THEN round(power.{{ fuel.name }} / 2000.0, 4) END AS {{ fuel.name }}_gwh,
       {% endfor %}
       CASE WHEN known.whole THEN round(power.emissions / 2000, 1) END AS emissions_t,
       round(power.generation / nullif(power.half_hours, 0)::numeric, 1) AS mean_generation_mw,
       {{ shares("_energy_pct") }},
       round(power.emissions / nullif(power.generation, 0), 3) AS generation_weighted_gco2_kwh,
       demand.half_hours AS demand_half_hours,
       round(demand.mean_mw, 1) AS mean_demand_mw,
       round(demand.emissions / nullif(demand.mw, 0), 3) AS demand_weighted_gco2_kwh
FROM {{ spans(unit, "core.generation_mw") }}
CROSS JOIN LATERAL (
    SELECT count(*)::integer AS half_hours, sum(total.mw) AS generation,
           sum(g.recomputed_gco2_kwh * total.mw) AS emissions,
           {% for fuel in fuels %}sum(g.{{ fuel.name }}_mw) AS {{ fuel.name }}{{ ", " if not loop.last }}{% endfor %}

    FROM core.generation_mw AS g
    CROSS JOIN LATERAL (SELECT
        {% for fuel in fuels %}g.{{ fuel.name }}_mw{{ " + " if not loop.last }}{% endfor %}) AS total (mw)
    WHERE {{ in_span("g") }} AND g.recomputed_gco2_kwh IS NOT NULL) AS power
CROSS JOIN LATERAL (
    SELECT count(*)::integer AS half_hours, avg(g.demand_mw) AS mean_mw, sum(g.demand_mw) AS mw,
           sum(i.actual_gco2_kwh * g.demand_mw) AS emissions
    FROM core.generation_mw AS g
    JOIN core.intensity AS i USING (period_start)
    WHERE {{ in_span("g") }}
      -- redundant, but it lets the index return one span
      AND {{ in_span("i") }}
      AND g.demand_mw IS NOT NULL AND i.actual_gco2_kwh IS NOT NULL) AS demand
CROSS JOIN LATERAL (SELECT power.half_hours = {{ half_hours_expected() }}) AS known (whole)
{{ parts("power", "(power.generation / 100.0)", "_energy_pct") }};

COMMENT ON VIEW reporting.{{ name }} IS 'Energy by fuel and emissions by London {{ unit }}, from core.generation_mw: one row per {{ unit }} from the first half-hour held to the newest, also where half-hours are missing. Energy and emissions are null unless every half-hour of the {{ unit }} is known, so that a part is never shown as the whole; means, shares and weighted means are of the known half-hours. A second measurement: shares differ from those of reporting.{{ name | replace("_energy", "") }}.';
COMMENT ON COLUMN reporting.{{ name }}.half_hours IS 'Half-hours in which generation from all nine fuels is known, on which all but the demand columns rest.';
COMMENT ON COLUMN reporting.{{ name }}.generation_gwh IS 'Energy from all nine fuels, imports included, GWh; null unless half_hours equals half_hours_expected.';
{% for fuel in fuels %}
COMMENT ON COLUMN reporting.{{ name }}.{{ fuel.name }}_gwh IS 'Energy from {{ fuel.name }}, GWh; null unless half_hours equals half_hours_expected.';
{% endfor %}
COMMENT ON COLUMN reporting.{{ name }}.emissions_t IS 'Emissions of that energy, tonnes of CO2, by the published factors as in recomputed_gco2_kwh of core.generation_mw; null unless half_hours equals half_hours_expected.';
COMMENT ON COLUMN reporting.{{ name }}.mean_generation_mw IS 'Mean generation of the known half-hours, MW.';
{% for fuel in named_fuels %}
COMMENT ON COLUMN reporting.{{ name }}.{{ fuel }}_energy_pct IS 'Share of {{ fuel }} in the energy of the known half-hours, %, cut to four decimals.';
{% endfor %}
COMMENT ON COLUMN reporting.{{ name }}.other_energy_pct IS 'Share of everything else in the energy of the known half-hours, %: 100 minus the eight named fuels, so that the nine sum to exactly 100.';
{{ comments_on_combined_shares("reporting." ~ name, "Share in the energy of the known half-hours of", "_energy_pct", missing="") }}
COMMENT ON COLUMN reporting.{{ name }}.generation_weighted_gco2_kwh IS 'Recomputed intensity weighted by generation, gCO2/kWh: emissions by energy of the known half-hours.';
COMMENT ON COLUMN reporting.{{ name }}.demand_half_hours IS 'Half-hours with a demand and a published actual, on which the demand columns rest.';
COMMENT ON COLUMN reporting.{{ name }}.mean_demand_mw IS 'Mean demand_mw of core.generation_mw over those half-hours, MW.';
COMMENT ON COLUMN reporting.{{ name }}.demand_weighted_gco2_kwh IS 'Published actual weighted by that demand, gCO2/kWh: half-hours of high demand count more.';
{{ comments_on_span("reporting." ~ name, unit, key) }}
{% endmacro %}
