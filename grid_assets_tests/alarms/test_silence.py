"""The daemon, the machine, the database and the network stop in turn, and the operator hears of it.

Processes and servers are real; healthchecks.io and the service that takes messages are servers
here. Time is compressed: a minute of operation is `MINUTE_S`, and where the product waits for
minutes, the rows are moved into the past instead.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil
import pytest
from pydantic import SecretStr

from grid_assets.runtime.postgres import EmbeddedPostgres
from grid_assets.warehouse.connection import connect
from grid_assets.warehouse.migrate import migrate
from grid_assets.warehouse.stamp import Stamp
from grid_assets_tests.alarms.healthchecks import Healthchecks
from grid_assets_tests.alarms.test_looking import titles
from grid_assets_tests.alerts.conftest import Service
from grid_assets_tests.http_stub import Reply, Stub
from grid_assets_tests.live import attempt
from grid_assets_tests.reading import days_ago
from grid_assets_tests.running import GridCommand, free_port, wait_until

pytestmark = pytest.mark.slow

MINUTE_S: Final = 0.25
"""Seconds of the test for a minute of operation."""

PERIOD_S: Final = 30 * MINUTE_S
GRACE_S: Final = 10 * MINUTE_S
HEARD_S: Final = 150
"""What the sensor needs, which looks every half a minute, on a busy machine."""

GONE: Final = Reply(b"", reset=True)


@pytest.fixture
def postgres(open_folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(open_folder / "postgres")
    server.start()
    yield server
    server.stop()


def test_silence_is_heard_and_so_is_the_recovery(
    grid: GridCommand,
    postgres: EmbeddedPostgres,
    api: Stub,
    service: Service,
    healthchecks: Healthchecks,
) -> None:
    url = SecretStr(postgres.start())
    migrate(url, Stamp("live"))
    grid.environment |= {
        "GRID_DATABASE_URL": url.get_secret_value(),
        "GRID_API_URL": api.url,
        "GRID_API_RETRY_BUDGET_S": "0",
        "GRID_HISTORY_START": str(days_ago(0)),
        "GRID_BACKTEST_DAYS": "0",
        "GRID_TELEMETRY_CRON": "0 0 1 1 *",  # each cycle is one that the test asks for
        "GRID_UI_PORT": str(free_port()),
        "GRID_ALARM_URLS": service.address().get_secret_value(),
        "GRID_HEARTBEAT_URL": healthchecks.address.get_secret_value(),
    }

    def heard(*expected: str) -> None:
        """These are the messages since the last time."""
        wait_until(
            lambda: len(service.taken) >= len(expected), HEARD_S, lambda: str(titles(service))
        )
        assert titles(service) == [*expected]
        service.taken.clear()

    def silent() -> None:
        """Nobody pings: the check is down once the period and its grace are over."""
        wait_until(lambda: healthchecks.is_down(PERIOD_S, GRACE_S), PERIOD_S + GRACE_S + 5)

    # the daemon hears of a run that failed elsewhere
    up = grid.installed.start("up")
    up.says("The daemon is running")
    assert healthchecks.kinds == "+"
    with connect(url) as connection:
        attempt(connection, datetime.now(UTC))
    heard("failed raw.intensity")
    wait_until(lambda: healthchecks.kinds == "+-", HEARD_S)

    # the daemon stops: the supervisor hears of it
    [daemon] = [each for each in grid.marked("") if "dagster-daemon" in " ".join(each.cmdline())]
    daemon.kill()
    assert up.ends(within_s=120) == 1
    heard("product")
    assert healthchecks.kinds == "+--"

    # the next start: a cycle that works, and the product is back
    up = grid.installed.start("up")
    up.says("The daemon is running")
    heard("over: failed raw.intensity", "over: product")
    assert healthchecks.kinds == "+--+"

    # the machine stops
    up.process.send_signal(signal.SIGKILL)
    for process in grid.marked(""):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    silent()
    so_far = healthchecks.kinds

    # the database stops; each tick says so to the heartbeat, the first one to people
    postgres.stop()
    for _ in range(2):
        grid.run("tick", "--telemetry-only", code=1)
    heard("database")
    assert healthchecks.is_down(PERIOD_S, GRACE_S)
    assert healthchecks.kinds.removeprefix(so_far) == "--"
    postgres.start()
    grid.run("tick", "--telemetry-only")
    heard("over: database")
    assert healthchecks.kinds.removeprefix(so_far) == "--+"

    # the network stops: nothing can be told, and the service outside hears just that
    healthy = api.script
    for stub in (api, service, healthchecks):
        stub.script = lambda path: GONE
    grid.run("tick", "--telemetry-only", code=1)
    silent()
    assert service.taken == []
    api.script = healthy
    service.script, healthchecks.script = lambda path: Reply(), lambda path: Reply(b"OK")
    with connect(url) as connection:
        connection.execute(
            "UPDATE ops.alarm_messages SET last_attempt_at = last_attempt_at - interval '1 hour'"
        )
    grid.run("tick", "--telemetry-only")
    # intensity has failed twice within hours, so its recovery waits
    heard("2 began", "over: failed raw.generation")
    assert healthchecks.kinds.removeprefix(so_far) == "--++"
