"""The LookML project: names resolve, every field runs as grid_reader, and measures add up.

Dimensions are generated, and `test_generated` compares them with a database.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import lkml
import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from grid_assets.series import FUELS, MODELS
from grid_assets.settings import PROJECT_DIR
from grid_assets.warehouse import catalogue
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse
from grid_assets_tests.forecasting.regions.captured import capture
from grid_assets_tests.looker import lookml
from grid_assets_tests.looker.lookml import Block

one_warehouse = shared_warehouse.one_warehouse


FOLDER: Final = PROJECT_DIR / "looker"
PROJECT: Final = lookml.read(FOLDER)

NOT_IN_LOOKER: Final = {
    "forecast_as_known_at": "reads every forecast ever made unless its second argument bounds it, "
    "which no filter does; issued_at of actual_vs_predicted answers most such questions",
    "generation_mw": "a second measurement, of other fuels and units than the mix that is explored",
    "outlook_as_known_at": "what others expect; the dashboards show what was measured and forecast",
    "outlook_newest": "the state of sources, which `grid status` and Dagster show",
    "carbon_of_use": "answers for one use, which a program passes",
    "greenest_region": "answers for one duration and deadline, which a program passes",
    "greenest_window": "answers for one duration and deadline, which a program passes",
    "region_of_postcode": "answers for one postcode, which a program passes",
}
"""Views and functions of `reporting` that the project leaves out, and why."""

NOW: Final = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
HALF_HOUR: Final = timedelta(minutes=30)
HALF_HOURS: Final = [*(NOW - n * HALF_HOUR for n in range(4)), NOW - timedelta(days=40)]
"""The last is of another day and month."""


@pytest.fixture
def connection(one_warehouse: SecretStr) -> Iterator[Connection]:
    """A transaction that is never committed."""
    with psycopg.connect(one_warehouse.get_secret_value()) as connection:
        connection.execute("SET LOCAL TIME ZONE 'UTC'")
        yield connection
        connection.rollback()


@pytest.fixture
def reader(connection: Connection) -> Connection:
    """Half-hours, forecasts of two models, scores and runs, read as grid_reader."""
    for start in HALF_HOURS:
        insert(connection, "core.intensity", period_start=start, actual_gco2_kwh=100)
        insert(connection, "raw.intensity", period_start=start, captured_at=start + HALF_HOUR)
        mix = {f"{fuel}_pct": 0 for fuel in FUELS if fuel != "other"}
        mix |= {"wind_pct": 30, "solar_pct": 10, "hydro_pct": 2, "gas_pct": 50}
        insert(connection, "core.generation_mix", period_start=start, **mix)
        for region, gco2_kwh in ((13, 100), (18, 200)):
            row = {"region_id": region, "period_start": start}
            insert(connection, "core.regional_intensity", **row, intensity_gco2_kwh=gco2_kwh)
            insert(connection, "core.regional_mix", **row, **mix)
        power = {f"{fuel}_mw": 0 for fuel in FUELS} | {"wind_mw": 12000, "gas_mw": 8000}
        power |= {"demand_mw": 20000, "recomputed_gco2_kwh": 160}
        insert(connection, "core.generation_mw", period_start=start, **power)
    for model, band in (("chronos:some", True), ("seasonal_naive", False)):
        for series, issued in ((s, i) for s in ("carbon_intensity", "wind") for i in (0, 1, 50)):
            row = {"model": model, "series": series, "issued_at": NOW - issued * HALF_HOUR}
            quantiles = {"p10": 25, "p50": 60, "p90": 99} if band else {"p50": 60}
            values = row | quantiles | {"period_start": NOW, "created_at": NOW}
            insert(connection, "forecast.predictions", **values)
    score = {"model": "chronos:some", "target_date": NOW.date(), "error_sum": 0, "simulated": False}
    score |= {"series": "carbon_intensity", "abs_actual_sum": 1000}
    # 90 forecasts with a mean error of 10 and 10 with one of 60: 15 in all, not 35
    banded = score | {"n": 90, "abs_error_sum": 900, "n_band": 90, "n_inside_80": 81}
    insert(connection, "forecast.accuracy", lead_bucket="0-3h", **banded)
    bare = score | {"n": 10, "abs_error_sum": 600, "n_band": 0, "n_inside_80": 0}
    insert(connection, "forecast.accuracy", lead_bucket="24-48h", **bare)
    worth = {"model": "chronos:some", "target_date": NOW.date(), "simulated": False}
    for hours, n, saved in ((12, 90, 5400), (24, 10, 6000)):
        sums = {"n": n, "saved_sum": saved, "best_sum": 2 * saved, "n_worse": 9}
        insert(connection, "forecast.value", wait_hours=hours, **worth, **sums)
    captured = NOW + timedelta(minutes=1)
    capture(connection, captured, lambda region, at: 100 + region, regions=(13, 18))
    regional = {"target_date": NOW.date(), "n": 10, "abs_error_sum": 50, "error_sum": -20}
    regional |= {"abs_estimate_sum": 1000, "simulated": False, "lead_bucket": "0-3h"}
    for region in (13, 18):
        insert(connection, "forecast.regional_accuracy", model="neso", region_id=region, **regional)
    for number, status in enumerate(["success", "success", "failed", "crashed", "running"]):
        insert_run(connection, f"run {number}", status, NOW + number * HALF_HOUR)
    connection.execute("SET LOCAL ROLE grid_reader")
    return connection


def insert(connection: Connection, relation: str, **row: Any) -> None:
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(*relation.split(".")),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(map(sql.Placeholder, row)),
        ),
        row,
    )


def insert_run(connection: Connection, run: str, status: str, at: datetime) -> None:
    row = {"run_id": run, "asset": "core.intensity", "attempt": 1, "trigger": "tick"}
    row |= {"partition_start": at.date(), "partition_end": at.date(), "host": "here", "pid": 1}
    insert(
        connection,
        "ops.etl_runs",
        **row,
        started_at=at,
        heartbeat_at=at,
        status=status,
        finished_at=None if status == "running" else at,
        error_type="Error" if status in ("failed", "crashed") else None,
    )


def ask(connection: Connection, text: str, *parts: str) -> list[tuple[Any, ...]]:
    """The rows of a query, with `parts` of the project's own SQL put into its `{}`."""
    return connection.execute(sql.SQL(text).format(*map(sql.SQL, parts))).fetchall()


def value(connection: Connection, view: str, field: str, where: str = "true") -> Any:
    """One measure over the rows of a view."""
    expression = lookml.expression(PROJECT.views, field, view)
    source = lookml.source(PROJECT.views, view)
    [(found,)] = ask(connection, "SELECT {} FROM {} WHERE {}", expression, source, where)
    return found


# Names


@pytest.mark.parametrize("view", PROJECT.views)
def test_every_field_that_a_view_names_exists(view: str) -> None:
    for name in lookml.named_fields(PROJECT.views[view]):
        lookml.resolve(PROJECT.views, name, view)


@pytest.mark.parametrize("view", PROJECT.views)
def test_every_measure_has_a_label_a_description_and_a_format(view: str) -> None:
    for measure in PROJECT.views[view].get("measures", ()):
        assert measure["label"], measure
        assert measure["description"], measure
        assert "value_format_name" in measure or measure["type"] == "date_time", measure
        assert "drill_fields" in measure or measure.get("hidden") == "yes", measure


def views_of(explore: Block) -> list[str]:
    return [explore["name"], *(join["name"] for join in explore.get("joins", ()))]


@pytest.mark.parametrize("name", PROJECT.explores)
def test_every_explore_joins_on_whole_times_and_filters_fields_that_exist(name: str) -> None:
    explore = PROJECT.explores[name]
    for join in explore.get("joins", ()):
        keys = re.findall(r"\$\{([\w.]+)\}", join["sql_on"])
        assert {key.partition(".")[0] for key in keys} == {name, join["name"]}
        # any other timeframe would truncate the time, and no index would be used
        assert all(key.endswith("_raw") for key in keys)
    filters = [explore.get("always_filter", {}), explore.get("conditionally_filter", {})]
    pairs = [pair for f in filters for pairs in f.get("filters__all", ()) for pair in pairs]
    for field in [*(field for pair in pairs for field in pair), *filters[1].get("unless", ())]:
        lookml.resolve(PROJECT.views, field, name)
    assert_no_wildcard(value for pair in pairs for value in pair.values())


def assert_no_wildcard(values: Iterable[Any]) -> None:
    """In a filter a bare `_` matches any character, and no index would be used."""
    assert [value for value in values if re.search(r"(?<!\^)_", str(value))] == []


def test_every_view_is_in_an_explore_and_every_include_names_a_file() -> None:
    shown = {view for explore in PROJECT.explores.values() for view in views_of(explore)}
    assert shown == set(PROJECT.views)
    files = [f"/{path.relative_to(FOLDER)}" for path in FOLDER.rglob("*.*")]
    for pattern in PROJECT.model["includes"]:
        assert fnmatch.filter(files, pattern), pattern


@pytest.mark.parametrize("dashboard", PROJECT.dashboards, ids=lambda block: block["dashboard"])
def test_the_panels_and_filters_of_a_dashboard_use_fields_of_their_explores(
    dashboard: Block,
) -> None:
    filters = {block["name"]: block for block in dashboard["filters"]}
    assert_no_wildcard(block["default_value"] for block in filters.values())
    assert "Model" not in filters or filters["Model"]["default_value"] == MODELS[0]
    panels = [(block, [block["field"]]) for block in filters.values()]
    for element in dashboard["elements"]:
        chosen = set(element["fields"])
        assert {sort.split()[0] for sort in element["sorts"]} <= chosen
        assert set(element.get("pivots", ())) <= chosen
        listens = element.get("listen", {})
        assert set(listens) <= set(filters)
        assert_no_wildcard(element.get("filters", {}).values())
        panels.append((element, [*chosen, *element.get("filters", ()), *listens.values()]))
    for block, names in panels:
        assert block["model"] == "grid"
        for name in names:
            view, _ = lookml.resolve(PROJECT.views, name, block["explore"])
            assert view in views_of(PROJECT.explores[block["explore"]]), name


def test_the_panels_of_a_dashboard_fit_the_grid_and_do_not_overlap() -> None:
    for dashboard in PROJECT.dashboards:
        taken: set[tuple[int, int]] = set()
        for element in dashboard["elements"]:
            columns = range(element["col"], element["col"] + element["width"])
            rows = range(element["row"], element["row"] + element["height"])
            cells = {(row, column) for row in rows for column in columns}
            assert columns.stop <= 24, element["name"]
            assert not taken & cells, element["name"]
            taken |= cells


def test_every_view_and_function_of_reporting_is_in_looker_or_left_out_with_a_reason() -> None:
    found = json.loads(catalogue.FILE.read_text(encoding="utf-8"))
    present = {*found["relations"], *found["functions"]}
    reporting = {name.removeprefix("reporting.") for name in present if name[:9] == "reporting"}
    assert reporting == set(PROJECT.views) | set(NOT_IN_LOOKER)


def test_a_refinement_adds_to_its_view_and_overrides_what_it_extends() -> None:
    parsed = lkml.load("""
        view: shared {
          extension: required
          measure: count { type: count }
          measure: n { type: count }
        }
        view: mix { sql_table_name: mix ;; dimension: fuel { sql: ${TABLE}.fuel ;; } }
        view: +mix { extends: [shared] measure: n { type: max sql: ${fuel} ;; } }
    """)
    project = lookml.views(parsed["views"])
    assert list(project) == ["mix"]
    assert list(lookml.fields(project["mix"])) == ["fuel", "count", "n"]
    assert lookml.expression(project, "n", "mix") == 'max(("mix".fuel))'
    with pytest.raises(lookml.LookmlError, match="view mix has no field wind"):
        lookml.expand(project, "${wind}", "mix")
    with pytest.raises(lookml.LookmlError, match="refines no view"):
        lookml.views([{"name": "+wind"}])


# Fields on a database


@pytest.mark.parametrize("view", PROJECT.views)
def test_every_field_of_a_view_runs_as_grid_reader(reader: Connection, view: str) -> None:
    known = lookml.fields(PROJECT.views[view])
    for kind in ("dimension", "measure"):
        names = [name for name, field in known.items() if field.kind == kind]
        selected = ", ".join(lookml.expression(PROJECT.views, name, view) for name in names)
        rows = ask(reader, "SELECT {} FROM {}", selected, lookml.source(PROJECT.views, view))
        assert rows, f"the {kind}s of {view} were tried on nothing"


@pytest.mark.parametrize("view", PROJECT.views)
def test_a_primary_key_is_one_of_each_row(reader: Connection, view: str) -> None:
    key = lookml.expression(PROJECT.views, "key", view)
    source = lookml.source(PROJECT.views, view)
    [(rows, keys)] = ask(reader, "SELECT count(*), count(DISTINCT {}) FROM {}", key, source)
    assert rows == keys > 1


@pytest.mark.parametrize("name", PROJECT.explores)
def test_every_explore_runs_with_all_its_joins_and_is_as_its_relationships_say(
    reader: Connection, name: str
) -> None:
    explore = PROJECT.explores[name]
    joins = explore.get("joins", [])
    key = lookml.expression(PROJECT.views, "key", name)
    [(alone,)] = ask(reader, "SELECT count(*) FROM {}", lookml.source(PROJECT.views, name))
    for join in joins:
        one = lookml.source(PROJECT.views, name, {"joins": [join]})
        other = lookml.expression(PROJECT.views, "key", join["name"])
        [(rows, found)] = ask(reader, "SELECT count({}), count({}) FROM {}", key, other, one)
        assert found == rows, "every row found its partner"
        assert (rows > alone) == (join["relationship"] == "one_to_many"), join["name"]
    whole = lookml.source(PROJECT.views, name, explore)
    [(count,)] = ask(reader, "SELECT count(*) FROM {}", whole)
    assert count >= alone > 0


@pytest.mark.parametrize(
    "element",
    [element for dashboard in PROJECT.dashboards for element in dashboard["elements"]],
    ids=lambda element: element["name"],
)
def test_every_panel_of_a_dashboard_has_an_answer(reader: Connection, element: Block) -> None:
    view = element["explore"]
    known = lookml.fields(PROJECT.views[view])
    names = [field.removeprefix(f"{view}.") for field in element["fields"]]
    selected = [lookml.expression(PROJECT.views, name, view) for name in names]
    grouped = [str(n) for n, name in enumerate(names, 1) if known[name].kind == "dimension"]
    source = lookml.source(PROJECT.views, view)
    # the region that the dashboard starts with
    region = element.get("listen", {}).get("Region")
    where = f"{lookml.expression(PROJECT.views, region, view)} = 'London'" if region else "true"
    query = "SELECT {} FROM {} WHERE {} GROUP BY {}"
    rows = ask(reader, query, ", ".join(selected), source, where, ", ".join(grouped))
    assert rows
    if region:  # of several regions, averages are null
        assert None not in rows[0]
    elif "regional" in view:
        assert f"{view}.short_name" in element["fields"]


def test_the_region_that_the_dashboard_starts_with_exists(reader: Connection) -> None:
    [default] = [
        block["default_value"]
        for dashboard in PROJECT.dashboards
        for block in dashboard["filters"]
        if block["name"] == "Region"
    ]
    assert default == "London"
    known = ask(reader, "SELECT short_name FROM reporting.regional_now")
    assert (default,) in known


# Measures


def test_errors_are_weighted_by_the_number_of_forecasts_and_bands_by_those_that_have_one(
    reader: Connection,
) -> None:
    assert value(reader, "forecast_accuracy", "forecasts") == 100
    assert value(reader, "forecast_accuracy", "mean_absolute_error") == 15
    assert value(reader, "forecast_accuracy", "coverage") == Decimal("0.9")


def test_the_value_of_forecasts_is_weighted_by_the_number_of_cases(reader: Connection) -> None:
    assert value(reader, "forecast_value", "cases") == 100
    assert value(reader, "forecast_value", "mean_saving") == 19  # not (10 + 100) / 2
    assert value(reader, "forecast_value", "share_of_best") == Decimal("0.5")
    assert value(reader, "forecast_value", "made_worse") == Decimal("0.18")


def test_a_share_of_a_group_is_the_sum_of_its_fuels_and_the_mean_of_its_half_hours(
    reader: Connection,
) -> None:
    share = ("generation_mix", "share_pct")
    assert value(reader, *share, "fuel_group = 'renewable'") == 42
    assert value(reader, *share, "fuel = 'wind'") == 30
    assert value(reader, *share) == 100
    assert value(reader, "generation_mix", "half_hours") == len(HALF_HOURS)
    assert value(reader, "telemetry", "average_wind_pct") == 30
    assert value(reader, "telemetry", "average_actual_gco2_kwh") == 100


def test_an_average_is_of_one_region_or_of_none(reader: Connection) -> None:
    for view in ("regional_telemetry", "regional_24h", "regional_now"):
        for measure, london in (
            ("average_intensity_gco2_kwh", 100),
            ("average_wind_pct", 30),
            ("average_renewable_pct", 42),
            ("average_zero_carbon_pct", 42),
            ("average_fossil_pct", 50),
        ):
            assert value(reader, view, measure, "short_name = 'London'") == london
            assert value(reader, view, measure) is None
    assert value(reader, "regional_24h", "count") == 2 * (len(HALF_HOURS) - 1)
    in_london = "short_name = 'London' AND series = 'carbon_intensity'"
    assert value(reader, "regional_forecast_latest", "average_p50", in_london) == 113
    assert value(reader, "regional_forecast_latest", "average_p50") is None
    assert value(reader, "regional_forecast_accuracy", "mean_absolute_error") == 5
    assert value(reader, "regional_forecast_accuracy", "mean_error") == -2
    extremes = [f"{which}_intensity_gco2_kwh" for which in ("lowest", "highest")]
    assert [value(reader, "regional_24h", measure) for measure in extremes] == [100, 200]
    assert value(reader, "regional_24h", "regions") == 2


def test_a_forecast_without_a_band_counts_neither_as_inside_nor_as_outside(
    reader: Connection,
) -> None:
    assert value(reader, "actual_vs_predicted", "coverage", "series = 'wind'") == 1
    assert value(reader, "actual_vs_predicted", "coverage", "model = 'seasonal_naive'") is None
    assert value(reader, "actual_vs_predicted", "wape_of_all", "series = 'carbon_intensity'") == (
        Decimal("0.4")
    )


def test_runs_are_counted_by_how_they_ended(reader: Connection) -> None:
    found = [value(reader, "etl_runs", n) for n in ("count", "runs", "succeeded", "not_succeeded")]
    assert found == [5, 5, 2, 2]
    assert value(reader, "etl_runs", "success_rate") == Decimal("0.5")
    assert value(reader, "etl_runs", "newest_success") == NOW + HALF_HOUR


def test_what_was_known_follows_the_parameter_and_is_now_without_one(reader: Connection) -> None:
    def known(parameter: str) -> int:
        source = lookml.source(PROJECT.views, "intensity_as_known_at", parameter=parameter)
        [(count,)] = ask(reader, "SELECT count(*) FROM {}", source)
        return int(count)

    second = HALF_HOURS[-3] + HALF_HOUR  # when the second half-hour of the last four was captured
    assert known("NULL") == 5
    assert known(f"TIMESTAMP '{second:%Y-%m-%d %H:%M:%S}'") == 3
    assert known("TIMESTAMP '2020-01-01 00:00:00'") == 0


def test_the_datagroup_moves_with_a_success_and_with_nothing_else(reader: Connection) -> None:
    [group] = PROJECT.model["datagroups"]

    def triggered_by(run: str, status: str) -> Any:
        reader.execute("RESET ROLE")
        insert_run(reader, run, status, NOW + timedelta(days=1))
        reader.execute("SET LOCAL ROLE grid_reader")
        return ask(reader, group["sql_trigger"])

    before = ask(reader, group["sql_trigger"])
    assert before == [(NOW + HALF_HOUR,)]
    assert triggered_by("another", "failed") == before
    assert triggered_by("one more", "success") == [(NOW + timedelta(days=1),)]


def test_the_connection_may_read_nothing_but_reporting(reader: Connection) -> None:
    relations = [lookml.relation(view) for view in PROJECT.views.values()]
    assert all("reporting." in relation for relation in relations)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(reader, "SELECT FROM core.intensity")
