"""Each rule of the LookML project, broken once: a good little project, and one change at a time."""

from __future__ import annotations

from typing import Final

import lkml
import pytest
import yaml

from grid_assets_tests.looker import lookml, lookml_rules
from grid_assets_tests.looker.lookml import Project

GOOD: Final = """
include: "/*.lkml"
datagroup: fresh { sql_trigger: SELECT 1 ;; max_cache_age: "1 hour" }
persist_with: fresh
explore: mix {
  always_filter: { filters: [mix.fuel: "wind"] }
  join: more { type: left_outer relationship: many_to_one sql_on: ${mix.period_raw} = ${more.period_raw} ;; }
}
view: mix {
  sql_table_name: reporting.mix ;;
  dimension: key { hidden: yes primary_key: yes type: string sql: ${TABLE}.period_start::text ;; }
  dimension_group: period {
    label: "Start (UTC)" description: "Start." type: time timeframes: [raw, date]
    datatype: timestamp convert_tz: no sql: ${TABLE}.period_start ;;
  }
  dimension: fuel { label: "Fuel" description: "The fuel." type: string sql: ${TABLE}.fuel ;; }
  dimension: wind_pct { label: "Wind, %" description: "Wind." type: number sql: ${TABLE}.wind_pct ;; value_format_name: decimal_1 }
  measure: average_wind_pct {
    label: "Average wind, %" description: "Mean." type: average sql: ${wind_pct} ;;
    value_format_name: decimal_1 drill_fields: [detail*]
  }
  set: detail { fields: [period_date, fuel] }
}
view: more { extends: [mix] sql_table_name: reporting.more ;; }
"""  # noqa: E501

DASHBOARD: Final = """
- dashboard: one
  filters:
  - {name: Fuel, model: one, explore: mix, field: mix.fuel}
  elements:
  - name: shares
    model: one
    explore: mix
    fields: [mix.period_date, mix.fuel, mix.average_wind_pct]
    pivots: [mix.fuel]
    filters: {more.period_date: 1 day}
    sorts: [mix.period_date desc]
    listen: {Fuel: mix.fuel}
"""

COLUMNS: Final = {
    "period_start": ("timestamp with time zone", "Start."),
    "fuel": ("text", "The fuel."),
    "wind_pct": ("numeric", "Wind."),
}


def project(text: str = GOOD, dashboard: str = DASHBOARD) -> Project:
    parsed = lkml.load(text)
    return lookml.project({"/one.model.lkml": parsed}, parsed, yaml.safe_load(dashboard))


RULES: Final = [
    lookml_rules.references_resolve,
    lookml_rules.views_have_one_key,
    lookml_rules.times_are_utc_with_timeframes,
    lookml_rules.fields_say_what_they_are,
    lookml_rules.only_counts_are_summed,
    lookml_rules.explores_are_joined,
    lookml_rules.filters_mean_what_they_say,
    lookml_rules.results_are_kept_until_the_next_run,
    lambda good: lookml_rules.includes_name_files(good, []),
    lambda good: lookml_rules.dashboards_use_their_explores(good, "one"),
    lambda good: lookml_rules.columns_are_dimensions("mix", good.views["mix"], COLUMNS),
]


def problems(found: Project) -> list[str]:
    return [problem for rule in RULES for problem in rule(found)]


def test_a_good_project_has_no_problems_and_extends_hands_fields_on() -> None:
    assert problems(project()) == []
    more = project().views["more"]
    assert more["sql_table_name"] == "reporting.more"
    assert list(lookml.fields(more)) == list(lookml.fields(project().views["mix"]))


@pytest.mark.parametrize(
    ("good", "broken", "problem"),
    [
        ("${wind_pct}", "${solar_pct}", "view mix has no field solar_pct"),
        ("${wind_pct}", "${sun.wind_pct}", "there is no view sun"),
        ("[detail*]", "[details*]", "there is no set details"),
        ("[detail*]", "[windy]", "view mix has no field windy"),
        ("[period_date, fuel]", "[period_week]", "view mix has no field period_week"),
        ("primary_key: yes", "", "mix: has 0 primary keys"),
        ("description: \"The fuel.\"", "description: \"The fuel.\" primary_key: yes", "2 primary"),
        ("type: time timeframes: [raw, date]", "type: time", "is not of type time with timeframes"),
        ("timeframes: [raw, date]", "timeframes: [raw, date, moon]", "unknown timeframes ['moon']"),
        ("convert_tz: no", "", "would be converted to another time zone"),
        ("Start (UTC)", "Start", "the label does not say UTC"),
        ("Average wind, %", "Average wind", "average_wind_pct: the label does not say %"),
        ("description: \"Mean.\"", "", "average_wind_pct: has no label or no description"),
        ("value_format_name: decimal_1 drill", "drill", "average_wind_pct: has no format"),
        ("type: average", "type: sum", "average_wind_pct: sums something that is no count"),
        ("drill_fields: [detail*]", "", "average_wind_pct: has no drill fields"),
        ("join: more", "join: less", "there is no view less"),
        ("relationship: many_to_one", "", "mix.more: has no relationship"),
        ("type: left_outer", "type: cross", "mix.more: does not say left_outer"),
        ("${more.period_raw}", "${more.start_raw}", "view more has no field start_raw"),
        ("${more.period_raw}", "${more.period_date}", "more.period_date is not raw"),
        ("${more.period_raw}", "${mix.period_raw}", "sql_on does not compare mix with more"),
        ("[mix.fuel: \"wind\"]", "[mix.fuels: \"wind\"]", "view mix has no field fuels"),
        ("fuel: \"wind\"]", "fuel: \"a_b\"]", "mix, mix.fuel: a_b has a _ that is not written ^_"),
        ("/*.lkml", "/views/*.lkml", "/views/*.lkml fits no file"),
        ("persist_with: fresh", "persist_with: stale", "does not persist with a datagroup"),
        ("sql_trigger: SELECT 1 ;;", "", "does not persist with a datagroup"),
        ("${TABLE}.wind_pct", "${TABLE}.wind", "there is no column wind"),
        ("${TABLE}.wind_pct", "${TABLE}.fuel", "fuel stands in two dimensions"),
        ("${TABLE}.wind_pct", "1", "column wind_pct is no dimension"),
        ("type: number", "type: yesno", "yesno does not fit wind_pct, which is numeric"),
        ("datatype: timestamp", "datatype: date", "datatype date does not fit timestamp"),
        ("description: \"Wind.\"", "description: \"Sun.\"", "is not the column's comment: Wind."),
    ],
)  # fmt: skip
def test_a_broken_file_is_found(good: str, broken: str, problem: str) -> None:
    assert good in GOOD
    found = problems(project(GOOD.replace(good, broken, 1)))
    assert any(problem in sentence for sentence in found), found


@pytest.mark.parametrize(
    ("good", "broken", "problem"),
    [
        ("mix.average_wind_pct", "mix.average_sun_pct", "view mix has no field average_sun_pct"),
        ("explore: mix\n    fields", "explore: more\n    fields", "no explore more in model one"),
        ("model: one\n", "model: two\n", "there is no explore mix in model two"),
        ("{more.period_date: 1 day}", "{less.period_date: 1 day}", "not in explore mix"),
        ("{Fuel: mix.fuel}", "{Fuels: mix.fuel}", "there is no filter Fuels"),
        ("field: mix.fuel}", "field: mix.fuels}", "view mix has no field fuels"),
        ("field: mix.fuel}", "field: mix.fuel, default_value: a_b}", "Fuel: a_b has a _"),
        ("{more.period_date: 1 day}", "{more.fuel: a_b}", "shares, more.fuel: a_b has a _"),
        ("[mix.period_date desc]", "[mix.wind_pct]", "['mix.wind_pct'] is not one of its fields"),
    ],
)
def test_a_broken_dashboard_is_found(good: str, broken: str, problem: str) -> None:
    assert good in DASHBOARD
    found = problems(project(GOOD, DASHBOARD.replace(good, broken, 1)))
    assert any(problem in sentence for sentence in found), found


def test_a_column_that_no_view_shows_is_found() -> None:
    grown = COLUMNS | {"solar_pct": ("numeric", "Sun.")}
    found = lookml_rules.columns_are_dimensions("mix", project().views["mix"], grown)
    assert list(found) == ["mix: column solar_pct is no dimension"]


@pytest.mark.parametrize(
    ("good", "broken", "error"),
    [
        ("type: average sql", "type: median sql", "median is no type"),
        ("type: average sql", 'type: number filters: [fuel: "wind"] sql', "takes no filters"),
        ("type: average sql", 'type: average filters: [fuel: "-wind%"] sql', "is not a list"),
    ],
)
def test_a_measure_that_cannot_be_run_says_so(good: str, broken: str, error: str) -> None:
    views = project(GOOD.replace(good, broken, 1)).views
    with pytest.raises(lookml.LookmlError, match=error):
        lookml.expression(views, "average_wind_pct", "mix")


def test_a_name_that_stands_twice_and_a_view_that_extends_nothing_are_refused() -> None:
    twice = project(GOOD.replace("wind_pct {", "fuel {", 1)).views["mix"]
    with pytest.raises(lookml.LookmlError, match="fuel stands there twice"):
        lookml.fields(twice)
    with pytest.raises(lookml.LookmlError, match="more extends less"):
        project(GOOD.replace("extends: [mix]", "extends: [less]"))
