"""Daily clean-up by schedule and by tick; failures are only warnings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from grid_assets.cli import commands
from grid_assets.cli.runs import run_housekeeping_if_due
from grid_assets.definitions import defs
from grid_assets.defs.resources import Services
from grid_assets.forecasting import due
from grid_assets.health import housekeeping
from grid_assets.health.report import status
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import Connection, connect

Rows = Callable[..., list[tuple[Any, ...]]]

NOW = datetime.now(UTC)
DONE = (
    "SELECT asset, status, rows_fetched, rows_written, trigger FROM reporting.etl_runs "
    "ORDER BY started_at"
)


@pytest.fixture
def instance(warehouse: SecretStr, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Dagster on a schema of the test's warehouse, as the product has it."""
    monkeypatch.setenv("GRID_DATABASE_URL", warehouse.get_secret_value())
    url = f"{warehouse.get_secret_value()}?options=-csearch_path%3Ddagster"
    storage = {"postgres": {"postgres_url": url}}
    with dg.instance_for_test(overrides={"storage": storage}) as made:
        yield made


@pytest.fixture
def old(rows: Rows) -> None:
    """A warehouse made two years ago."""
    rows("UPDATE ops.warehouse SET stamped_at = %s", NOW - timedelta(days=700))


def answer(url: SecretStr) -> list[str]:
    with connect(url) as connection:
        return list(housekeeping.report(connection, NOW))


def test_a_tick_cleans_up_once_a_day_and_leaves_a_row(
    instance: dg.DagsterInstance,
    warehouse: SecretStr,
    rows: Rows,
    old: None,
) -> None:
    run_id = run_housekeeping_if_due(instance, warehouse)
    assert run_id is not None
    assert rows(DONE) == [("dagster.runs", "success", 0, 0, "tick")]
    assert answer(warehouse) == ["housekeeping  0 h ago, removed 0 old runs"]
    rows("INSERT INTO forecast.thinning (thinned_to) VALUES ('2024-03-04')")
    assert answer(warehouse) == [
        "housekeeping  0 h ago, removed 0 old runs; forecasts are complete from 2024-03-04 on"
    ]
    assert instance.get_runs()[0].job_name == "housekeeping"

    assert run_housekeeping_if_due(instance, warehouse) is None
    rows("UPDATE ops.etl_runs SET started_at = started_at - interval '22 hours 50 minutes'")
    assert run_housekeeping_if_due(instance, warehouse) is None
    rows("UPDATE ops.etl_runs SET started_at = started_at - interval '11 minutes'")
    assert run_housekeeping_if_due(instance, warehouse) is not None


def test_a_new_warehouse_is_left_alone_for_a_day(
    instance: dg.DagsterInstance, warehouse: SecretStr, rows: Rows
) -> None:
    rows("UPDATE ops.warehouse SET stamped_at = now()")
    assert run_housekeeping_if_due(instance, warehouse) is None
    assert answer(warehouse) == ["housekeeping  not run yet; it runs once a day"]
    rows("UPDATE ops.warehouse SET stamped_at = now() - interval '1 day'")
    assert run_housekeeping_if_due(instance, warehouse) is not None


def test_the_schedule_is_on_by_default_and_runs_between_two_cycles() -> None:
    schedule = defs.resolve_schedule_def("daily_housekeeping")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("27 3 * * *", "UTC")
    with dg.build_schedule_context(resources={"services": Services()}) as context:
        [request] = schedule.evaluate_tick(context).run_requests or []
    assert request.tags["grid/trigger"] == "schedule"


def test_a_setting_of_0_removes_nothing_and_counts_as_done(
    instance: dg.DagsterInstance,
    warehouse: SecretStr,
    rows: Rows,
    old: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRID_DAGSTER_KEEP_DAYS", "0")
    assert run_housekeeping_if_due(instance, warehouse) is not None
    assert rows(DONE) == [("dagster.runs", "success", 0, 0, "tick")]
    assert run_housekeeping_if_due(instance, warehouse) is None


def test_a_purge_that_the_database_refuses_is_a_warning(
    instance: dg.DagsterInstance,
    warehouse: SecretStr,
    connection: Connection,
    rows: Rows,
    old: None,
) -> None:
    assert run_housekeeping_if_due(instance, warehouse) is not None
    rows("UPDATE ops.etl_runs SET started_at = started_at - interval '1 day'")
    rows("UPDATE dagster.runs SET create_timestamp = create_timestamp - interval '1 year'")
    rows(
        "CREATE FUNCTION dagster.no() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'the disk is full'; END $$; "
        "CREATE TRIGGER no BEFORE DELETE ON dagster.runs EXECUTE FUNCTION dagster.no()"
    )
    said: list[str] = []
    commands.run_housekeeping(instance, warehouse, said.append)  # and raises nothing
    assert any("the disk is full" in line for line in said)
    assert rows(DONE)[-1][:2] == ("dagster.runs", "failed")
    _, warning = answer(warehouse)
    assert warning.startswith("    warning: housekeeping, dagster.runs, failed: ")
    seen = status(connection, "here", Settings(), NOW)
    assert warning in seen.lines
    assert not any("housekeeping" in fault or "dagster" in fault for fault in seen.faults)
    assert due.state(connection, "chronos:any", datetime.now(UTC)) != "failed_lately"  # no delay


def test_a_storage_of_dagster_that_is_lost_is_a_warning_of_the_tick(
    instance: dg.DagsterInstance, warehouse: SecretStr, rows: Rows, old: None
) -> None:
    rows("ALTER SCHEMA dagster RENAME TO away")
    said: list[str] = []
    commands.run_housekeeping(instance, warehouse, said.append)
    assert len(said) == 1
    assert said[0].startswith("Warning: ")
