"""Runs the whole demo, with its UI, daemon and PostgreSQL, from start to stop.

The tests share one demo and depend on their order: while it runs, then stopping it, then starting
it again. Single commands are tested in `cli/`, and what the UI shows in `test_ui.py`.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests
from pydantic import SecretStr

from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.runtime.supervisor import SUPERVISOR_FILE
from grid_assets.warehouse.connection import connect
from grid_assets_tests.reading import ask, one_sentence, tables_with
from grid_assets_tests.running import (
    GridCommand,
    Started,
    ask_dagster,
    files_with,
    free_port,
    grid_in_a_new_folder,
    holders,
    taken_port,
    wait_until,
)
from grid_assets_tests.runtime.small_demo import FEW_BACK_TESTS, NEWEST_FORECAST, history_start

pytestmark = pytest.mark.slow

BY_ITSELF_S = 240
"""Allows for a schedule of every minute, the run that it starts, and a busy machine."""


@dataclass(frozen=True)
class Demo:
    """A demo that runs; `newest` is what its warehouse holds."""

    grid: GridCommand
    started: Started
    home: Path
    wanted_port: int
    withheld_from: datetime

    def line(self, name: str) -> str:
        return next(
            line.split(maxsplit=1)[1].strip()
            for line in self.started.output().splitlines()
            if line.strip().startswith(name)
        )

    @property
    def ui(self) -> str:
        return self.line("UI ")

    @property
    def api(self) -> str:
        return (self.home / "replay.url").read_text()

    @property
    def warehouse(self) -> SecretStr:
        return SecretStr(self.grid.run("url", "--demo").out.strip())

    def control(self, action: str, **request: Any) -> None:
        requests.post(f"{self.api}/replay/{action}", json=request, timeout=10).raise_for_status()


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """The module's demo: its port is taken, its first cycle fails, six half-hours are missing."""
    with grid_in_a_new_folder() as grid, taken_port() as port:
        grid.environment |= {
            "GRID_TELEMETRY_CRON": "* * * * *",
            "GRID_API_RETRY_BUDGET_S": "20",
            "GRID_HISTORY_START": history_start(),
            **FEW_BACK_TESTS,
        }
        started = grid.start("demo", "--port", str(port))
        home = grid.home / "demo"
        started.says("Serving the recording at")
        withheld_from = floor(datetime.now(UTC)) - 5 * HALF_HOUR
        demo = Demo(grid, started, home, port, withheld_from)
        demo.control("withhold", half_hours=6)
        demo.control("fault", name="404")
        started.says("Ctrl-C stops everything")
        yield demo


def runs(process: psutil.Process) -> bool:
    """Whether it still runs; a container's init may leave zombies."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def programs(grid: GridCommand) -> str:
    """The command lines of the demo's processes."""
    lines = []
    for process in grid.marked():
        with suppress(psutil.Error):
            lines.append(" ".join(process.cmdline()))
    return "\n".join(lines)


# While it runs.


def test_it_says_where_everything_is_and_moves_to_a_free_port(demo: Demo) -> None:
    said = demo.started.output()
    assert f"Port {demo.wanted_port} is taken; the UI uses " in said
    assert urlsplit(demo.ui).port not in (None, demo.wanted_port)
    assert requests.get(demo.ui, timeout=30).status_code == 200
    assert "RECORDED data (replay), not live" in said
    assert demo.line("API ").startswith(demo.api)
    assert Path(demo.line("logs ")).is_dir()
    page = requests.get(demo.line("dashboard "), timeout=30)
    assert (page.status_code, "RECORDED data (replay)" in page.text) == (200, True), said
    assert demo.line("SQL ").endswith('/grid" url --demo)"')
    assert "Traceback" not in said


def test_a_first_cycle_that_fails_is_reported_and_does_not_stop_the_product(demo: Demo) -> None:
    said = demo.started.output()
    assert "The first cycle failed; the error is above. The daemon will try again." in said
    assert "HTTP 404" in said


def test_the_daemon_starts_once_the_first_cycle_has_ended(demo: Demo) -> None:
    """Before that, its sensor would find the same work and do it a second time."""
    [(ended,)] = ask(
        demo.warehouse, "SELECT max(finished_at) FROM ops.etl_runs WHERE trigger = 'tick'"
    )
    daemon = next(p for p in demo.grid.marked() if "dagster-daemon" in " ".join(p.cmdline()))
    boot_is_rounded_s = 2
    assert daemon.create_time() + boot_is_rounded_s > ended.timestamp()


def test_the_schedule_and_the_sensor_are_on_without_a_click(demo: Demo) -> None:
    found = ask_dagster(
        demo.ui,
        "{ repositoriesOrError { ... on RepositoryConnection { nodes { schedules "
        "{ name cronSchedule executionTimezone scheduleState { status } } "
        "sensors { name minIntervalSeconds sensorState { status } } } } } }",
    )
    [repository] = found["repositoriesOrError"]["nodes"]
    assert repository["schedules"] == [
        {
            "name": "daily_housekeeping",
            "cronSchedule": "27 3 * * *",
            "executionTimezone": "UTC",
            "scheduleState": {"status": "RUNNING"},
        },
        {
            "name": "half_hourly",
            "cronSchedule": "* * * * *",
            "executionTimezone": "UTC",
            "scheduleState": {"status": "RUNNING"},
        },
        {
            "name": "weekly_learning",
            "cronSchedule": "57 1 * * 0",
            "executionTimezone": "UTC",
            "scheduleState": {"status": "RUNNING"},
        },
    ]
    assert repository["sensors"] == [
        {"name": "alarms", "minIntervalSeconds": 30, "sensorState": {"status": "RUNNING"}},
        {
            "name": "new_telemetry",
            "minIntervalSeconds": 4,
            "sensorState": {"status": "RUNNING"},
        },
    ]


def test_a_second_demo_says_that_it_runs_already(demo: Demo) -> None:
    refused = one_sentence(demo.grid.run("demo", "--port", str(free_port()), code=1).text)
    assert f"is already running (process {demo.started.process.pid}" in refused
    assert "`grid down` stops it" in refused
    assert requests.get(f"{demo.ui}/server_info", timeout=30).ok
    assert demo.warehouse


def test_everything_listens_on_this_machine_alone_and_the_ui_comes_with_a_caution(
    demo: Demo,
) -> None:
    processes = [
        *demo.grid.marked(),
        *demo.grid.servers(),
        psutil.Process(demo.started.process.pid),
    ]
    addresses = {
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}
    assert "can command the UI" in demo.line("caution ")


def test_gaps_are_closed_after_faults_and_withheld_hours(demo: Demo) -> None:
    url = demo.warehouse
    newest = "SELECT max(period_start) FROM core.intensity"
    demo.control("heal")
    demo.control("release", half_hours=1)
    wait_until(lambda: ask(url, newest) == [(demo.withheld_from,)], BY_ITSELF_S)

    demo.control("fault", name="500", times=3)
    demo.control("release")
    missing = (
        "SELECT count(*) FROM generate_series((SELECT min(period_start) FROM core.intensity), "
        "%s::timestamptz, '30 min') AS half_hour WHERE NOT EXISTS "
        "(SELECT FROM core.intensity WHERE period_start = half_hour) "
        "OR half_hour < %s AND NOT EXISTS "
        "(SELECT FROM core.generation_mix WHERE period_start = half_hour)"
    )

    def closed() -> bool:
        now = floor(datetime.now(UTC))
        with connect(url) as connection:
            row = connection.execute(missing.encode(), [now, now]).fetchone()
        return row == (0,)

    wait_until(closed, BY_ITSELF_S)
    wait_until(
        lambda: ask(url, "SELECT count(*) FROM ops.etl_runs WHERE status = 'running'") == [(0,)], 60
    )
    triggers = ask(
        url,
        "SELECT DISTINCT trigger FROM ops.etl_runs WHERE status = 'success' "
        "AND asset IN ('raw.intensity', 'raw.generation')",  # not those of sources without a fault
    )
    assert triggers == [("schedule",)]


def test_new_telemetry_is_forecast_from_and_past_days_are_back_tested(
    demo: Demo,
) -> None:
    url = demo.warehouse
    newest = (
        "SELECT count(*) FROM forecast.issues WHERE model <> 'neso' AND refused_reason IS NULL "
        "AND mix_to = (SELECT max(period_start) + interval '30 min' FROM core.generation_mix)"
    )
    back_tested = (
        "SELECT count(DISTINCT issued_at) FROM forecast.issues WHERE model <> 'neso' "
        "AND issued_at < date_trunc('day', now(), 'UTC') AND refused_reason IS NULL"
    )
    wait_until(lambda: ask(url, newest) != [(0,)], BY_ITSELF_S)
    wait_until(lambda: ask(url, back_tested) == [(2,)], BY_ITSELF_S)
    for _, *answer in ask(url, NEWEST_FORECAST):
        assert answer == [960, 10, 96, True, True]
    scored = "SELECT count(*) FROM reporting.forecast_accuracy WHERE model <> 'neso'"
    wait_until(lambda: ask(url, scored) != [(0,)], BY_ITSELF_S)
    wait_until(
        lambda: "healthy" in demo.grid.run("status", "--demo", code=None).out.splitlines(),
        BY_ITSELF_S,
        lambda: demo.grid.run("status", "--demo", code=None).out,
        most_s=2,
    )


def test_its_status_reads_the_outlook_from_the_replay_that_runs(demo: Demo) -> None:
    assert "Switched off" not in demo.grid.run("status", "--demo", code=None).out


def test_its_password_is_in_no_command_line_log_or_event(demo: Demo) -> None:
    password = urlsplit(demo.warehouse.get_secret_value()).password
    assert password
    assert len(demo.grid.marked()) >= 4
    assert holders(password) == []
    assert files_with(demo.grid.folder, password) == []
    assert tables_with(demo.warehouse, password) == []


def test_ctrl_c_stops_every_process_and_postgresql(demo: Demo) -> None:
    grid = demo.grid
    family = [*grid.marked(), *grid.servers()]
    assert len(family) >= 5
    assert demo.started.ends(signal.SIGINT) == 130
    assert grid.nothing_runs()
    assert not any(map(runs, family))
    assert (demo.home / SUPERVISOR_FILE).read_text() == ""
    assert not (demo.home / "replay.url").exists()
    with pytest.raises(requests.ConnectionError):
        requests.get(demo.ui, timeout=5)
    assert "Traceback" not in demo.started.output()


# Starting again, and other ways to end; each finds what the one before left.


def test_a_job_in_the_background_finds_the_state_and_stops_on_sigterm(demo: Demo) -> None:
    grid = demo.grid
    assert grid.nothing_runs()
    again = grid.start("demo", "--port", str(free_port()), in_background=True)
    again.says("Ctrl-C stops everything")
    changed = [line for line in again.output().splitlines() if line.startswith("  core.")]
    assert len(changed) == 6  # one run of each, over yesterday and today; regions are off
    assert "Applying migrations" not in again.output()
    assert ask(demo.warehouse, "SELECT count(*) >= 96 FROM core.intensity") == [(True,)]
    assert again.ends(signal.SIGTERM) == 130
    assert grid.nothing_runs()


def test_down_ends_what_a_killed_supervisor_left(demo: Demo) -> None:
    grid = demo.grid
    killed = grid.start("demo", "--port", str(free_port()), GRID_API_TIMEOUT_S="600")
    killed.says("Serving the recording at")
    demo.control("fault", name="hang")
    killed.says("Loading missing data")
    wait_until(lambda: len(grid.marked()) >= 3 and "tick" in programs(grid), 60)
    # Its sensor would do the same work as the first cycle, a second time.
    assert "dagster-daemon" not in programs(grid)
    assert killed.ends(signal.SIGKILL) == -signal.SIGKILL
    assert grid.marked()
    assert grid.servers()
    said = grid.run("down").out
    assert said.startswith("Stopped: demo (")
    assert "PostgreSQL" in said
    assert grid.nothing_runs()
    assert grid.run("down").out == "Nothing was running.\n"


def test_down_from_elsewhere_stops_all_and_the_data_stays(demo: Demo) -> None:
    grid = demo.grid
    running = grid.start("demo", "--port", str(free_port()))
    running.says("Loading missing data")
    assert grid.run("down").out.startswith("Stopped: demo (")
    assert running.ends(within_s=30) != 0
    assert "Traceback" not in running.output()
    assert grid.nothing_runs()
    assert "half-hours of intensity" in grid.run("status", "--demo", code=None).out
    assert "Stopped: demo (PostgreSQL)." in grid.run("down").out


def test_the_tests_leave_no_process_of_theirs_behind(demo: Demo) -> None:
    assert demo.grid.nothing_runs()
    folder = str(demo.grid.folder)
    assert not [p for p in psutil.process_iter(["cmdline"]) if folder in str(p.info["cmdline"])]
