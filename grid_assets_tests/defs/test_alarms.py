"""The sensor `alarms`: it looks, sends in the background, and delays nothing."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import ModuleType

import dagster as dg
import pytest
from pydantic import SecretStr

from grid_assets.alarms.looking import Courier, Due
from grid_assets.definitions import defs
from grid_assets.defs import alarms
from grid_assets.defs.partitions import FIRST_IN_QUEUE
from grid_assets.defs.planning import ALERTS
from grid_assets.defs.resources import WORKER, Services, close_kept
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import connect
from grid_assets_tests.alerts import conftest as alerts
from grid_assets_tests.alerts.conftest import Service
from grid_assets_tests.http_stub import Reply
from grid_assets_tests.live import STAMP, attempt

service = alerts.service


class Counted(Courier):
    """Counts how often it was started."""

    starts = 0

    def start(self, warehouse: SecretStr, settings: Settings, due: Due) -> None:
        self.starts += 1
        super().start(warehouse, settings, due)


@pytest.fixture
def courier(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    made = Counted()
    monkeypatch.setattr(alarms, "COURIER", made)
    yield made
    made.wait(60)
    close_kept()


@pytest.fixture
def live(warehouse: SecretStr, monkeypatch: pytest.MonkeyPatch) -> SecretStr:
    """A live warehouse in which the last attempt has failed."""
    with connect(warehouse) as connection:
        connection.execute(STAMP)
        attempt(connection, datetime.now(UTC) - timedelta(minutes=1))
    monkeypatch.setenv("GRID_DATABASE_URL", warehouse.get_secret_value())
    return warehouse


def evaluate(instance: dg.DagsterInstance | None = None) -> str:
    with (
        nullcontext(instance) if instance else dg.DagsterInstance.ephemeral() as used,
        dg.build_sensor_context(
            instance=used,
            resources={"services": Services()},
            repository_def=defs.get_repository_def(),
        ) as context,
    ):
        found = defs.resolve_sensor_def("alarms").evaluate_tick(context)
        assert found.run_requests == []
        return str(found.skip_message)


def test_without_addresses_it_does_not_look(live: SecretStr, courier: Courier) -> None:
    assert "is set" in evaluate()
    with connect(live) as connection:
        assert connection.execute("SELECT FROM ops.alarms").fetchall() == []


def test_it_sends_in_the_background_and_returns_while_an_address_hangs(
    live: SecretStr, courier: Counted, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRID_ALARM_URLS", service.address().get_secret_value())
    held = threading.Event()

    def script(path: str) -> Reply:
        held.wait(60)
        return Reply()

    service.script = script
    evaluate()
    assert courier.is_busy
    evaluate()
    held.set()
    courier.wait(60)
    evaluate()  # there is nothing left to send
    assert courier.starts == len(service.paths) == 1


def test_a_run_that_fails_before_its_first_attempt_is_an_alarm_until_one_succeeds(
    warehouse: SecretStr, courier: Courier, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRID_DATABASE_URL", warehouse.get_secret_value())
    monkeypatch.setenv("GRID_ALARM_URLS", service.address().get_secret_value())
    open_alarm = "SELECT ended_at IS NULL FROM ops.alarms WHERE key = 'command run'"
    with dg.DagsterInstance.ephemeral() as instance, connect(warehouse) as connection:
        connection.execute(STAMP)
        ledger = connection.execute(
            "DELETE FROM ops._yoyo_migration WHERE migration_id LIKE '0027%' RETURNING *"
        ).fetchone()
        assert ledger is not None
        # a worker of another version, which refuses before it writes
        with monkeypatch.context() as worker:
            worker.setitem(sys.modules, WORKER, ModuleType(WORKER))
            assert not run_alerts(instance, FIRST_IN_QUEUE)
        evaluate(instance)
        courier.wait(60)
        assert connection.execute(open_alarm).fetchall() == [(True,)]
        assert len(service.paths) == 1
        assert run_alerts(instance, FIRST_IN_QUEUE)
        evaluate(instance)
        courier.wait(60)
        assert connection.execute(open_alarm).fetchall() == [(False,)]


def run_alerts(instance: dg.DagsterInstance, tags: dict[str, str]) -> bool:
    return (
        defs.resolve_job_def("telemetry")
        .execute_in_process(
            instance=instance,
            tags=tags,
            asset_selection=[ALERTS[0].key],
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        .success
    )
