"""Alerts in runs of the real assets: judged last, whatever failed, and never in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from grid_assets.definitions import defs
from grid_assets.defs.automation import QUIET_RUN_CONFIG
from grid_assets.defs.partitions import range_tags
from grid_assets.defs.planning import ALERTS, HISTORY, selection
from grid_assets.replay.server import ReplayServer
from grid_assets.telemetry.due import Range
from grid_assets_tests import http_stub
from grid_assets_tests.alerts.conftest import Service
from grid_assets_tests.http_stub import Reply
from grid_assets_tests.reading import tables_with

SECRET = "s3cret-token"
DELIVERIES = dg.AssetKey(["ops", "alert_deliveries"])

Rows = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def service() -> Iterator[Service]:
    with http_stub.run(Service()) as running:
        yield running


@pytest.fixture
def cycle(
    warehouse: SecretStr,
    replay: ReplayServer,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., dg.ExecuteInProcessResult]]:
    """A run of telemetry and alerts over yesterday and today, in one Dagster."""
    monkeypatch.setenv("GRID_DATABASE_URL", warehouse.get_secret_value())
    monkeypatch.setenv("GRID_API_URL", replay.url)
    monkeypatch.setenv("GRID_API_RETRY_BUDGET_S", "0")
    monkeypatch.setenv("GRID_ALARM_URLS", service.address(SECRET).get_secret_value())
    today = datetime.now(UTC).date()
    with dg.DagsterInstance.ephemeral() as instance:
        yield lambda *assets: defs.resolve_job_def("telemetry").execute_in_process(
            instance=instance,
            tags=range_tags(today - timedelta(days=1), today, "tick"),
            asset_selection=[asset.key for asset in assets or (*ALERTS, *HISTORY)],
            raise_on_error=False,
            run_config=QUIET_RUN_CONFIG,
        )


def add_silence(rows: Rows, *, in_demo: bool = True) -> None:
    rows(
        "INSERT INTO ops.alerts (name, kind, silent_minutes, in_demo) "
        "VALUES ('Silence', 'no_telemetry', 120, %s)",
        in_demo,
    )


def old_telemetry(rows: Rows) -> None:
    rows(
        "INSERT INTO core.intensity (period_start, actual_gco2_kwh) "
        "VALUES (date_trunc('day', now()) - interval '3 days', 100)"
    )


def attempts(rows: Rows) -> list[tuple[Any, ...]]:
    return rows(
        "SELECT status, rows_fetched, rows_written, error_type FROM ops.etl_runs "
        "WHERE asset = 'ops.alert_deliveries' ORDER BY started_at"
    )


def order(result: dg.ExecuteInProcessResult) -> list[str]:
    return [
        event.node_name
        for event in result.all_events
        if event.event_type is dg.DagsterEventType.STEP_START
    ]


def test_alerts_are_judged_last_and_see_what_the_run_has_loaded(
    cycle: Callable[..., dg.ExecuteInProcessResult], rows: Rows, service: Service
) -> None:
    old_telemetry(rows)
    add_silence(rows)
    ran = cycle()
    assert ran.success
    assert order(ran)[-1] == "ops__alert_deliveries"
    assert rows("SELECT outcome FROM ops.alert_judgements") == [("not_met",)]
    assert service.taken == []
    assert attempts(rows) == [("success", 1, 0, None)]


def test_a_silence_is_told_though_telemetry_fails_and_once_though_cycles_go_on(
    cycle: Callable[..., dg.ExecuteInProcessResult],
    rows: Rows,
    service: Service,
    replay: ReplayServer,
) -> None:
    old_telemetry(rows)
    add_silence(rows)
    replay.control.fault({"name": "500", "times": 100})
    for _ in range(2):
        ran = cycle()
        assert not ran.success
        assert order(ran)[-1] == "ops__alert_deliveries"
        made = [event.asset_key for event in ran.get_asset_materialization_events()]
        assert made == [DELIVERIES]
    assert len(service.taken) == 1
    assert attempts(rows) == [("success", 1, 2, None), ("success", 1, 0, None)]


def test_a_service_that_fails_fails_no_run_and_shows_no_address(
    cycle: Callable[..., dg.ExecuteInProcessResult],
    rows: Rows,
    service: Service,
    warehouse: SecretStr,
    caplog: pytest.LogCaptureFixture,
) -> None:
    old_telemetry(rows)
    add_silence(rows)
    service.script = lambda _: Reply(status=500)
    ran = cycle(*ALERTS)
    assert ran.success
    assert [made.asset_key for made in ran.get_asset_materialization_events()] == [DELIVERIES]
    checks = {check.check_name: check.passed for check in ran.get_asset_check_evaluations()}
    assert checks == {"all_judged": True, "all_delivered": False}
    assert attempts(rows) == [("failed", 1, 1, "NotDelivered")]
    shown = "\n".join([*(str(event) for event in ran.all_events), caplog.text])
    assert SECRET not in shown
    assert tables_with(warehouse, SECRET) == []


def test_the_demo_is_silent_unless_asked(
    cycle: Callable[..., dg.ExecuteInProcessResult],
    rows: Rows,
    service: Service,
    replay: ReplayServer,
) -> None:
    old_telemetry(rows)
    add_silence(rows, in_demo=False)
    replay.control.fault({"name": "500", "times": 100})
    cycle()
    assert service.taken == []
    assert rows("SELECT outcome FROM ops.alert_judgements") == [("demo",)]


def test_without_alerts_nothing_is_logged_or_sent(
    cycle: Callable[..., dg.ExecuteInProcessResult], rows: Rows, service: Service
) -> None:
    assert cycle().success
    assert attempts(rows) == []
    assert service.connections == 0


@pytest.mark.parametrize("forecasts", [True, False])
def test_a_cycle_ends_with_alerts_and_a_past_day_has_none(forecasts: bool) -> None:
    now = datetime(2026, 3, 28, 12, 12, tzinfo=UTC)
    today = Range(now.date() - timedelta(days=1), now.date())
    past = Range(now.date() - timedelta(days=9), now.date() - timedelta(days=8))
    assert DELIVERIES in selection(today, now, forecasts=forecasts)
    assert DELIVERIES not in selection(past, now, forecasts=forecasts)
