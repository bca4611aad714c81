"""What must not raise an alarm, keep one open, or hide one: sources that are off, commands by hand,
locks, clocks that are put back, and a database that can only be read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from psycopg import sql

from grid_assets.alarms.looking import after_command
from grid_assets.alarms.watching import DatabaseWatch
from grid_assets.forecasting.models.champion import TRAINING
from grid_assets.warehouse.connection import connect, lock_relation
from grid_assets_tests.alarms.conftest import Operation
from grid_assets_tests.alarms.healthchecks import Healthchecks
from grid_assets_tests.alarms.test_looking import OPEN, titles
from grid_assets_tests.alerts.conftest import Service

DAY = timedelta(days=1)
DAY_MINUTES = 24 * 60


def command(operation: Operation, home: Path, name: str, error: Exception | None) -> None:
    after_command(operation.settings, home, operation.url, name, error)


def test_a_source_that_failed_and_is_no_longer_asked_is_over_after_a_day(
    operation: Operation,
) -> None:
    operation.attempt("failed", asset="raw.regional", minutes_ago=DAY_MINUTES - 30)
    operation.attempt("failed", asset=TRAINING, minutes_ago=2 * DAY_MINUTES)
    operation.look()
    assert operation.ask(OPEN) == [("failed raw.regional",), (f"failed {TRAINING}",)]
    operation.connection.execute("UPDATE ops.etl_runs SET started_at = started_at - %s", [DAY])
    operation.look()
    assert operation.ask(OPEN) == [(f"failed {TRAINING}",)]
    operation.connection.execute("UPDATE ops.etl_runs SET started_at = started_at - %s", [6 * DAY])
    operation.look()
    assert operation.ask(OPEN) == []


def test_a_warning_does_not_hide_a_command_that_failed(
    operation: Operation, service: Service, tmp_path: Path
) -> None:
    operation.attempt("failed", asset="raw.regional", minutes_ago=150)
    operation.cycle()
    command(operation, tmp_path, "grid tick", RuntimeError("no room for dagster.yaml"))
    assert titles(service) == ["failed raw.regional", "command grid tick"]


def test_a_command_that_failed_by_hand_is_over_once_its_work_was_done_by_others(
    operation: Operation, service: Service, healthchecks: Healthchecks, tmp_path: Path
) -> None:
    for name, asset in (("grid forecast", "forecast.predictions"), ("grid tick", "raw.intensity")):
        command(operation, tmp_path, name, RuntimeError("no room for dagster.yaml"))
        operation.look()
        assert operation.ask(OPEN) == [(f"command {name}",)]
        operation.attempt(asset=asset, minutes_ago=0)
        operation.cycle()
        assert operation.ask(OPEN) == []
    assert healthchecks.kinds == "+"


def test_a_look_that_has_to_wait_is_no_broken_database(
    operation: Operation, service: Service, healthchecks: Healthchecks, tmp_path: Path
) -> None:
    operation.attempt("failed")
    with connect(operation.url) as other, other.transaction():
        lock_relation(other, "ops.alarms")
        command(operation, tmp_path, "grid tick", RuntimeError("Telemetry failed."))
    assert (titles(service), healthchecks.kinds) == ([], "")
    operation.cycle()
    assert (titles(service), healthchecks.kinds) == (["failed raw.intensity"], "-")


def test_what_was_told_by_a_clock_that_was_ahead_silences_nothing(
    operation: Operation, service: Service, healthchecks: Healthchecks
) -> None:
    operation.attempt()
    operation.cycle()
    for asset in ("raw.intensity", "raw.generation", "core.intensity", "core.generation_mix"):
        operation.attempt("failed", asset, minutes_ago=0.1)
        operation.cycle()
    assert len(service.taken) == 4
    operation.later(-120)  # the clock was two hours ahead, and was put back
    operation.connection.execute("UPDATE ops.heartbeat SET cycle_at = cycle_at + interval '2 h'")
    operation.attempt("failed", asset="forecast.predictions", minutes_ago=0)
    operation.attempt("failed", minutes_ago=0)
    told = len(healthchecks.pings)
    operation.cycle()
    assert titles(service)[4:] == ["failed forecast.predictions"]
    assert len(healthchecks.pings) == told + 1


def test_grid_up_tells_of_a_database_that_can_only_be_read(
    operation: Operation, service: Service, healthchecks: Healthchecks, tmp_path: Path
) -> None:
    [(name,)] = operation.ask("SELECT current_database()")
    setting = sql.SQL("ALTER DATABASE {} {} default_transaction_read_only {}")
    place = sql.Identifier(name)
    operation.connection.execute(setting.format(place, sql.SQL("SET"), sql.SQL("= on")))
    try:
        watch = DatabaseWatch(operation.settings, tmp_path, operation.url, every_s=0, gone_s=0)
        watch.look()
    finally:
        operation.connection.execute(setting.format(place, sql.SQL("RESET"), sql.SQL("")))
    watch.look()
    assert titles(service) == ["database", "over: database"]
    assert healthchecks.kinds == "-"
