"""The services of `compose.yaml` and `compose.demo.yaml`, run here as processes without Docker.

Each has a GRID_HOME of its own, and gets the command, the environment and the health check of the
files. Names of hosts become 127.0.0.1 and ports become free ones. PostgreSQL is that of the tests.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from grid_assets.replay.server import ReplayServer
from grid_assets_tests.deploy.composed import PASSWORD, Here, merged
from grid_assets_tests.running import free_port, wait_until
from grid_assets_tests.runtime.small_demo import NEWEST_FORECAST, history_start

pytestmark = pytest.mark.slow

WITHIN_S = 300
CHOSEN = {
    "GRID_HISTORY_START": "",
    "GRID_TELEMETRY_CRON": "* * * * *",
    "GRID_REGIONS": "false",
    "GRID_BACKTEST_DAYS": "0",
    "GRID_ELEXON_URL": "",
    "GRID_NESO_PORTAL_URL": "",
    "GRID_API_TIMEOUT_S": "2",
    "GRID_API_RETRY_BUDGET_S": "3600",
}
"""What differs from the files: little to load and to forecast, a cycle each minute, and a run that
waits for an API until it is told to stop."""

RUNNING = "SELECT run_id, asset, attempt FROM ops.etl_runs WHERE status = 'running'"
HANGING = f"{RUNNING} AND started_at < clock_timestamp() - interval '3 seconds'"
HOW_IT_ENDED = (
    "SELECT status, error_type FROM ops.etl_runs WHERE (run_id, asset, attempt) = (%s, %s, %s)"
)


@dataclass
class Service:
    """One service as a process of this machine."""

    name: str
    said: dict[str, Any]
    here: Here
    home: Path
    more: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.home.with_suffix(".log")

    @property
    def environment(self) -> dict[str, str]:
        outside = {k: v for k, v in os.environ.items() if not k.startswith(("GRID_", "DAGSTER_"))}
        own = {**self.here.environment(self.said), **self.more, "GRID_HOME": str(self.home)}
        return {**outside, **own}

    def run(self) -> int:
        """Run a service that ends."""
        self.start()
        assert self.process is not None
        return self.process.wait(WITHIN_S)

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.here.command(self.said["command"]),
                env=self.environment,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # as tini does
            )

    def is_healthy(self) -> bool:
        kind, *words = self.said["healthcheck"]["test"]
        assert kind == "CMD"
        assert self.process is not None
        assert self.process.poll() is None, self.output()
        checked = subprocess.run(
            self.here.command(words),
            env=self.environment,
            cwd=self.home,
            capture_output=True,
            timeout=60,
        )
        return checked.returncode == 0

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def send_term(self) -> None:
        """As `docker stop`: to the process group if the service tells Docker's init so."""
        assert self.process is not None
        send = os.killpg if "TINI_KILL_PROCESS_GROUP" in self.said["environment"] else os.kill
        send(self.process.pid, signal.SIGTERM)

    def wait(self) -> int:
        assert self.process is not None
        seconds = str(self.said.get("stop_grace_period", "10s")).removesuffix("s")
        # a busy machine is not the product's fault
        return self.process.wait(max(120, 3 * int(seconds)))

    def kill(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)


Make = Callable[..., Service]


@pytest.fixture
def make(warehouse: SecretStr, replay: ReplayServer, tmp_path: Path) -> Iterator[Make]:
    """Makes services of the files; they are killed after the test."""
    files = merged("compose.yaml", "compose.demo.yaml", POSTGRES_PASSWORD=PASSWORD)
    code, ui, dashboard = free_port(), free_port(), free_port()
    replaced = {
        f"postgresql://grid:{PASSWORD}@postgres:5432/grid": warehouse.get_secret_value(),
        "http://127.0.0.1:8765": replay.url,
        "code-server:4000": f"127.0.0.1:{code}",
        "127.0.0.1:3001": f"127.0.0.1:{dashboard}",
        "0.0.0.0": "127.0.0.1",
    }
    made: list[Service] = []

    def service(name: str, as_name: str = "", **more: str) -> Service:
        home = tmp_path / (as_name or name)
        home.mkdir()
        ports = {"webserver": ui, "dashboard": dashboard - 1}
        chosen = {**CHOSEN, "GRID_HISTORY_START": history_start()}
        if name in ports:
            chosen["GRID_UI_PORT"] = str(ports[name])
        chosen |= more
        made.append(Service(name, files["services"][name], Here(replaced), home, chosen))
        return made[-1]

    yield service
    for one in made:
        one.kill()


def test_the_services_start_load_forecast_serve_and_end_cleanly(
    make: Make, replay: ReplayServer, rows: Callable[..., list[tuple[Any, ...]]]
) -> None:
    """The UI and the daemon start before the code server, and the UI has a second code server."""
    assert make("migrate").run() == 0
    other = free_port()
    code_server = make("code-server")
    second = make("code-server", "second", GRID_CODE_SERVER=f"127.0.0.1:{other}")
    webserver = make("webserver", GRID_CODE_SERVER=f"127.0.0.1:{other}")
    daemon, dashboard = make("daemon"), make("dashboard")
    files = code_server.home / "files"
    files.mkdir()
    (dashboard.home / "files").symlink_to(files)
    started = [webserver, daemon, dashboard, code_server, second]
    for service in started[:3]:
        service.start()
    for service in (webserver, daemon):
        address = service.environment["GRID_CODE_SERVER"]
        wait_until(lambda s=service, a=address: a in s.output(), WITHIN_S)  # type: ignore[misc]
    code_server.start()
    second.start()
    for service in started:
        wait_until(service.is_healthy, WITHIN_S, lambda s=service: s.output(), most_s=5)  # type: ignore[misc]

    wait_until(lambda: rows(NEWEST_FORECAST), WITHIN_S, code_server.output)
    page = f"http://127.0.0.1:{int(dashboard.more['GRID_UI_PORT']) + 1}/dashboard.html"
    wait_until(lambda: requests.get(page, timeout=30).ok, WITHIN_S, dashboard.output)
    assert "RECORDED data" in requests.get(page, timeout=30).text
    assert rows("SELECT count(*) > 300, count(*) = count(DISTINCT period_start) FROM raw.intensity")

    # The host shuts down while a run waits for an API that does not answer.
    replay.control.fault({"name": "hang"})
    wait_until(lambda: rows(HANGING), WITHIN_S, code_server.output)
    hanging, *_ = rows(HANGING)
    for service in started:
        service.send_term()
    ended = {service.home.name: service.wait() for service in started}
    assert set(ended.values()) <= {0, -signal.SIGTERM, 128 + signal.SIGTERM}, ended
    assert rows(RUNNING) == []
    assert rows(HOW_IT_ENDED, *hanging) == [("failed", "DagsterExecutionInterruptedError")]
    said = "".join(service.output() for service in started)
    # of a code server that ends first, Dagster's web server says "Stack Trace"
    assert "Traceback" not in webserver.output() + dashboard.output(), said
    assert PASSWORD not in said


def test_a_part_without_a_database_says_what_is_missing(make: Make) -> None:
    daemon = make("daemon", GRID_DATABASE_URL="")
    assert daemon.run() == 1
    assert "GRID_DATABASE_URL" in daemon.output()
