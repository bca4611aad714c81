{# Fragments that several files share. Series and models come from grid_assets/series.py. #}

{# The share columns in the order of the API: `m.biomass_pct, m.coal_pct, …`. #}
{% macro shares(of="", some=fuels) %}
{% for fuel in some %}{{ of }}{{ "." if of }}{{ fuel.column }}{{ ", " if not loop.last }}{% endfor %}
{% endmacro %}

{# Whether two rows are of one half-hour, and have the same values in the columns `keys`. #}
{% macro is_same(one, other, keys=[]) %}
{% for key in keys %}{{ one }}.{{ key }} = {{ other }}.{{ key }} AND {% endfor %}{{ one }}.period_start = {{ other }}.period_start
{%- endmacro %}

{# The London day in which a half-hour starts, as the indexes by settlement date have it. #}
{% macro settlement_date(period_start) %}
({{ period_start }} AT TIME ZONE 'Europe/London')::date
{%- endmacro %}

{# The number of a half-hour in its London day, from 1. #}
{% macro settlement_period(period_start) %}
(1 + date_part('epoch', {{ period_start }}
                        - {{ settlement_date(period_start) }}::timestamp AT TIME ZONE 'Europe/London') / 1800)::integer
{%- endmacro %}

{# The three columns that say in London time what `period_start` says in UTC, and their comments. #}
{% macro london_time(period_start) %}
{{ period_start }} AT TIME ZONE 'Europe/London' AS period_start_london,
       {{ settlement_date(period_start) }} AS settlement_date,
       {{ settlement_period(period_start) }} AS settlement_period
{%- endmacro %}

{% macro comments_on_london_time(view) %}
COMMENT ON COLUMN {{ view }}.period_start_london IS 'Start of the half-hour by London''s clocks, without a time zone. When they go back, an hour comes twice: order and join by period_start.';
COMMENT ON COLUMN {{ view }}.settlement_date IS 'Settlement date: the day in London.';
COMMENT ON COLUMN {{ view }}.settlement_period IS 'Settlement period of that day, from 1; a day has 46, 48 or 50.';
{% endmacro %}

{# The shares (or MW) of some fuels of `of` together; one that is null counts as 0. #}
{% macro added_up(some, of, ending="_pct") %}
{% for name in some %}coalesce({{ of }}.{{ name }}{{ ending }}, 0){{ " + " if not loop.last }}{% endfor %}
{%- endmacro %}

{# Comments on the combined shares: what each adds up, such as `hydro, solar, wind`. #}
{% macro comments_on_combined_shares(view, said, ending="_pct", missing=" A fuel without a share counts as 0; its power is in other.") %}
{% for column, some in combined_shares.items() %}
COMMENT ON COLUMN {{ view }}.{{ column | replace("_pct", ending) }} IS '{{ said }} {{ some | join(", ") }} together, %{{ ": what is usually meant by low-carbon power" if "nuclear" in some }}.{{ missing }}';
{% endfor %}
{% endmacro %}

{# The unit of a series. #}
{% macro unit(series) %}
CASE {{ series }} WHEN '{{ carbon_intensity.name }}' THEN '{{ carbon_intensity.unit }}' ELSE '%' END
{%- endmacro %}

{# The place of a model in the order in which models are shown, from 1; an unknown one is last. #}
{% macro model_place(model) %}
coalesce(array_position(ARRAY[{% for name in models %}'{{ name }}'{{ ", " if not loop.last }}{% endfor %}],
                        split_part({{ model }}, ':', 1)), {{ models | length + 1 }})
{%- endmacro %}

{# Minutes from the issue of a forecast to the start of its half-hour. #}
{% macro lead_minutes(period_start, issued_at) %}
(extract(epoch FROM {{ period_start }} - {{ issued_at }}) / 60)::integer
{%- endmacro %}

{# The latest issue time that counts at `now`, the next half-hour: an issue after it comes from a
   clock that was wrong. #}
{% macro latest_issue_time(now="now()") %}
{{ now }} + interval '30 minutes'
{%- endmacro %}

{# Each half-hour of each series (`known`) in the rows of forecast.archive `issue`: `cell` has below,
   p50 and above, in tenths, and its step from 1. #}
{% macro cells(issue) %}
CROSS JOIN forecast.series AS known
CROSS JOIN LATERAL unnest({{ issue }}.below[known.ordinal:known.ordinal], {{ issue }}.p50[known.ordinal:known.ordinal],
                          {{ issue }}.above[known.ordinal:known.ordinal])
     WITH ORDINALITY AS cell (below, p50, above, step)
{%- endmacro %}

{# The row of forecast.archive `issue` at one half-hour: `cell` has below, p50 and above, in tenths. #}
{% macro cell(issue, period_start, ordinal) %}
CROSS JOIN LATERAL (SELECT
    1 + (extract(epoch FROM {{ period_start }} - {{ issue }}.starts_at) / 1800)::integer) AS place (step)
-- OFFSET 0, so that each array is unpacked once
CROSS JOIN LATERAL (SELECT
    {{ issue }}.below[{{ ordinal }}][place.step], {{ issue }}.p50[{{ ordinal }}][place.step],
    {{ issue }}.above[{{ ordinal }}][place.step] OFFSET 0) AS cell (below, p50, above)
{%- endmacro %}

{# The quantiles of such a cell, in gCO2/kWh or %. #}
{% macro quantiles() %}
0.1 * (cell.p50 - cell.below) AS p10, 0.1 * cell.p50 AS p50, 0.1 * (cell.p50 + cell.above) AS p90
{%- endmacro %}

{# Copies comments to the columns of a view that have none, from the same column of the relations
   that the view reads; the first relation with a comment counts. #}
{% macro inherit_comments(view) %}
DO $$
DECLARE
    inherited record;
BEGIN
    FOR inherited IN
        SELECT DISTINCT ON (own.attnum)
               own.attname, col_description(base.attrelid, base.attnum) AS comment
        FROM unnest(ARRAY[{% for relation in varargs %}'{{ relation }}'{{ ", " if not loop.last }}{% endfor %}]::regclass[])
             WITH ORDINALITY AS source (relation, place)
        JOIN pg_attribute AS base ON base.attrelid = source.relation
        JOIN pg_attribute AS own ON own.attname = base.attname AND own.attnum > 0
        WHERE own.attrelid = '{{ view }}'::regclass
          AND col_description(own.attrelid, own.attnum) IS NULL
          AND col_description(base.attrelid, base.attnum) IS NOT NULL
        ORDER BY own.attnum, source.place
    LOOP
        EXECUTE format('COMMENT ON COLUMN {{ view }}.%I IS %L',
                       inherited.attname, inherited.comment);
    END LOOP;
END
$$;
{% endmacro %}

{# From when a version of a value was known, never before the end of its half-hour: a clock that was
   behind can stamp it earlier. #}
{% macro known_from(version, opened_at) %}
greatest({{ version }}.period_start + interval '30 minutes',
                forecast.known_from({{ version }}.period_start, {{ version }}.captured_at,
                                    {{ version }}.first_captured_at, {{ opened_at }}, %(late)s))
{%- endmacro %}

{# The newest publication (`newest`) of each source of each series of the outlook (`known`) at an
   instant, by the time of publication: an old one that is captured again with other values is not
   the newest. One that was stamped or became known later, by a wrong clock, does not count. #}
{% macro newest_publications(now) %}
core.outlook_sources AS known
CROSS JOIN LATERAL (
    SELECT o.* FROM core.outlook AS o
    WHERE o.series = known.series AND o.source = known.source
      AND o.published_at <= {{ now }} AND o.known_from <= {{ now }}
    ORDER BY o.published_at DESC, o.known_from DESC LIMIT 1) AS newest
{%- endmacro %}
