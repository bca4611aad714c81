"""The LookML project against a live catalogue: every field runs as grid_reader, measures add up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from grid_assets.series import FUELS
from grid_assets.settings import PROJECT_DIR
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse
from grid_assets_tests.looker import lookml, lookml_rules
from grid_assets_tests.looker.lookml import Block

one_warehouse = shared_warehouse.one_warehouse


FOLDER: Final = PROJECT_DIR / "looker"
PROJECT: Final = lookml.read(FOLDER)
MODEL: Final = "grid"

NOT_IN_LOOKER: Final = {
    "forecast_as_known_at": "no filter reaches into it, so it would read every forecast ever made; "
    "issued_at of actual_vs_predicted answers most of such questions",
    "greenest_window": "an answer for one duration and deadline, to be asked by a program",
}
"""Views and functions of `reporting` that the project leaves out, and why."""

NOW: Final = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
HALF_HOUR: Final = timedelta(minutes=30)
HALF_HOURS: Final = [NOW - n * HALF_HOUR for n in range(4)]


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


def catalogue(connection: Connection, relation: str) -> dict[str, tuple[str, str | None]]:
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, NULL), col_description(attrelid, attnum) "
        "FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
        [relation],
    ).fetchall()
    return {name: (kind, comment) for name, kind, comment in rows}


# Rules


@pytest.mark.parametrize(
    "rule",
    [
        lookml_rules.references_resolve,
        lookml_rules.views_have_one_key,
        lookml_rules.times_are_utc_with_timeframes,
        lookml_rules.fields_say_what_they_are,
        lookml_rules.only_counts_are_summed,
        lookml_rules.explores_are_joined,
        lookml_rules.filters_mean_what_they_say,
        lookml_rules.results_are_kept_until_the_next_run,
    ],
    ids=lambda rule: rule.__name__,
)
def test_the_project_keeps_every_rule(rule: Any) -> None:
    assert list(rule(PROJECT)) == []


def test_every_include_names_a_file_and_the_dashboard_uses_what_the_explores_have() -> None:
    dashboards = [f"/{path.relative_to(FOLDER)}" for path in FOLDER.rglob("*.dashboard.lookml")]
    assert list(lookml_rules.includes_name_files(PROJECT, dashboards)) == []
    assert list(lookml_rules.dashboards_use_their_explores(PROJECT, MODEL)) == []
    assert [(FOLDER / "models" / f"{MODEL}.model.lkml").exists(), len(dashboards)] == [True, 1]
    assert len(PROJECT.dashboards[0]["elements"]) == 5


# Against the catalogue


@pytest.mark.parametrize("view", PROJECT.views)
def test_every_column_is_a_dimension_with_the_columns_comment(
    connection: Connection, view: str
) -> None:
    block = PROJECT.views[view]
    # a function's columns are those of the table that it answers for
    relation = "core.intensity" if "derived_table" in block else block["sql_table_name"]
    known = catalogue(connection, relation)
    assert known, f"{relation} does not exist"
    assert list(lookml_rules.columns_are_dimensions(view, block, known)) == []


def test_every_view_and_function_of_reporting_is_in_looker_or_left_out_with_a_reason(
    connection: Connection,
) -> None:
    present = ask(
        connection,
        "SELECT relname FROM pg_class WHERE relnamespace = 'reporting'::regnamespace "
        "AND relkind IN ('v', 'm') UNION "
        "SELECT proname FROM pg_proc WHERE pronamespace = 'reporting'::regnamespace",
    )
    assert {name for (name,) in present} - set(PROJECT.views) - set(NOT_IN_LOOKER) == set()


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


@pytest.mark.parametrize("element", PROJECT.dashboards[0]["elements"], ids=lambda e: e["name"])
def test_every_panel_of_the_dashboard_has_an_answer(reader: Connection, element: Block) -> None:
    view = element["explore"]
    known = lookml.fields(PROJECT.views[view])
    names = [field.removeprefix(f"{view}.") for field in element["fields"]]
    selected = [lookml.expression(PROJECT.views, name, view) for name in names]
    grouped = [str(n) for n, name in enumerate(names, 1) if known[name].kind == "dimension"]
    source = lookml.source(PROJECT.views, view)
    query = "SELECT {} FROM {} GROUP BY {}"
    assert ask(reader, query, ", ".join(selected), source, ", ".join(grouped))


# Measures


def test_errors_are_weighted_by_the_number_of_forecasts_and_bands_by_those_that_have_one(
    reader: Connection,
) -> None:
    assert value(reader, "forecast_accuracy", "forecasts") == 100
    assert value(reader, "forecast_accuracy", "mean_absolute_error") == 15
    assert value(reader, "forecast_accuracy", "coverage") == Decimal("0.9")


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

    second = HALF_HOURS[-2] + HALF_HOUR  # when the second half-hour of four was captured
    assert known("NULL") == 4
    assert known(f"TIMESTAMP '{second:%Y-%m-%d %H:%M:%S}'") == 2
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
