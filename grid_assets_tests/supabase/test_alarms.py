"""The edge function tells the operator that it could not start the model; `grid` sends the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from grid_assets.alarms import telling
from grid_assets.alarms.looking import look
from grid_assets.alerts.delivering import deliver
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import connect
from grid_assets_tests.alarms import conftest as alarms
from grid_assets_tests.alarms.healthchecks import Healthchecks
from grid_assets_tests.alerts import conftest as alerts
from grid_assets_tests.alerts.conftest import Service
from grid_assets_tests.http_stub import Reply
from grid_assets_tests.live import STAMP
from grid_assets_tests.reading import ask
from grid_assets_tests.running import wait_until
from grid_assets_tests.supabase.edge import Edge, edge_function
from grid_assets_tests.supabase.github import GitHub, said

pytestmark = pytest.mark.slow

STATE = "SELECT status, delivered_to FROM ops.alarm_messages"
FAILED = said(404, "Not Found")


service, healthchecks = alerts.service, alarms.healthchecks


@pytest.fixture
def live(warehouse: SecretStr) -> SecretStr:
    with connect(warehouse) as connection:
        connection.execute(STAMP)
    return warehouse


@pytest.fixture
def alarmed(
    folder: Path,
    waker: SecretStr,
    live: SecretStr,
    github: GitHub,
    service: Service,
    healthchecks: Healthchecks,
) -> Iterator[Edge]:
    """A function with three addresses, of which it does not know the second; a forecast is due."""
    port = service.server_port
    urls = [
        service.address().get_secret_value(),
        "tgram://s3cret-token/1234",
        f"ntfy://me:s3cret-token@127.0.0.1:{port}/Topic",
    ]
    with edge_function(
        folder,
        waker,
        **github.variables,
        GRID_ALARM_URLS=" ".join(urls),
        GRID_HEARTBEAT_URL=healthchecks.address.get_secret_value(),
    ) as edge:
        yield edge
    assert "s3cret-token" not in edge.log()


def test_a_start_that_fails_is_told_once_and_grid_sends_what_the_function_cannot(
    alarmed: Edge, github: GitHub, live: SecretStr, service: Service, healthchecks: Healthchecks
) -> None:
    github.scripted += [FAILED, FAILED]
    assert alarmed.wake().status_code == 502
    wait_until(lambda: ask(live, STATE) == [("pending", [1, 3])], 60, alarmed.log)
    wait_until(lambda: healthchecks.kinds == "-", 60)
    assert "NotFound" in healthchecks.pings[0].reason
    by_ntfy = next(taken for taken in service.taken if "topic" in taken)
    assert by_ntfy["topic"] == "Topic"
    assert "could not be started" in by_ntfy["message"]

    # the next failure is the same episode
    with connect(live) as connection:
        connection.execute("UPDATE ops.wakeups SET retry_at = now() - interval '1 second'")
    assert alarmed.wake().status_code == 502
    wait_until(lambda: healthchecks.kinds == "--", 60)
    assert len(service.taken) == 2

    # a look while the function may still be sending leaves it alone: it counts as tried
    assert ask(live, "SELECT attempts FROM ops.alarm_messages") == [(1,)]
    with connect(live) as connection:
        connection.execute("UPDATE ops.alarm_messages SET last_attempt_at = now()")
        assert not look(connection, Settings(alarm_urls=service.address())).messages

    # a later one finds nothing new, and sends to the address that is left
    urls = [SecretStr("json://127.0.0.1:1/"), service.address(), SecretStr("json://127.0.0.1:1/")]
    with connect(live) as connection:
        connection.execute("UPDATE ops.alarm_messages SET last_attempt_at = now() - interval '1 h'")
        look(connection, Settings(alarm_urls=service.address()))
        assert deliver(connection, urls, queue=telling.QUEUE).faults == []
    assert ask(live, STATE) == [("delivered", [1, 2, 3])]
    assert len(service.taken) == 3


def test_addresses_that_fail_delay_nothing_and_are_left_to_grid(
    alarmed: Edge, github: GitHub, live: SecretStr, service: Service, healthchecks: Healthchecks
) -> None:
    service.script = healthchecks.script = lambda path: Reply(status=500)
    github.scripted.append(FAILED)
    assert alarmed.wake().status_code == 502
    wait_until(lambda: len(alarmed.events("alarm_not_sent")) == 2, 60, alarmed.log)
    wait_until(lambda: alarmed.events("heartbeat_failed") != [], 60, alarmed.log)
    assert ask(live, STATE) == [("pending", [])]
