"""Runs the whole demo, with its UI, daemon and PostgreSQL, from start to stop.

The tests share one demo and depend on their order: while it runs, then stopping it, then starting
it again. Single commands are tested in `cli/`, and what the UI shows in `test_ui.py`.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
import requests
from psycopg import sql
from pydantic import SecretStr

from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.health.contents import RELATIONS
from grid_assets.runtime.environment import DEMO_DATABASE
from grid_assets.runtime.supervisor import SUPERVISOR_FILE
from grid_assets.settings import PROJECT_DIR
from grid_assets.warehouse.connection import connect
from grid_assets_tests.cli.test_cli import one_sentence, tables_with
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

pytestmark = pytest.mark.slow

BY_ITSELF_S = 240
"""A schedule of every minute, the run that it starts, and a machine that is busy."""

FEW_BACK_TESTS = {"GRID_BACKTEST_DAYS": "1", "GRID_BACKTEST_STRIDE_HOURS": "12"}
"""Two issues of yesterday beside the newest one, so that tests do not wait for a model."""

NEWEST_FORECAST = (
    "SELECT model, count(*), count(DISTINCT series), count(DISTINCT period_start), "
    "bool_and(p10 <= p50 AND p50 <= p90), min(period_start) = min(issued_at) "
    "FROM forecast.predictions WHERE model <> 'neso' AND issued_at = "
    "(SELECT max(issued_at) FROM forecast.predictions WHERE model <> 'neso') GROUP BY 1 ORDER BY 1"
)


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


def history_start() -> str:
    """Eight days and today: little more than the week that a forecast is made from."""
    return str((datetime.now(UTC) - 8 * 48 * HALF_HOUR).date())


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """One demo for the module: its port is taken, its first cycle fails, six half-hours lack."""
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
        wait_until((home / "replay.url").exists, 10)
        demo.control("withhold", half_hours=6)
        demo.control("fault", name="404")
        started.says("Ctrl-C stops everything")
        yield demo


def ask(url: SecretStr, query: str) -> list[tuple[Any, ...]]:
    with connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def runs(process: psutil.Process) -> bool:
    """Whether it still does anything; a container's init may leave the dead unburied."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


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
    assert (page.status_code, "RECORDED data (replay)" in page.text) == (200, True)
    assert demo.line("SQL ").endswith('/grid" url --demo)"')
    assert "Traceback" not in said


def test_a_first_cycle_that_fails_is_told_and_does_not_stop_the_product(demo: Demo) -> None:
    said = demo.started.output()
    assert "The first cycle failed; the error is above. The daemon will try again." in said
    assert "HTTP 404" in said


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
    ]
    assert repository["sensors"] == [
        {
            "name": "new_telemetry",
            "minIntervalSeconds": 5,
            "sensorState": {"status": "RUNNING"},
        }
    ]


def test_a_second_demo_says_that_it_runs_already(demo: Demo) -> None:
    refused = one_sentence(demo.grid.run("demo", "--port", str(free_port()), code=1).text)
    assert f"is already running (process {demo.started.process.pid}" in refused
    assert "`grid down` stops it" in refused
    assert requests.get(f"{demo.ui}/server_info", timeout=30).ok
    assert demo.warehouse


def test_gaps_close_by_themselves_after_faults_and_withheld_hours(demo: Demo) -> None:
    url = demo.warehouse
    newest = "SELECT max(period_start) FROM core.intensity"
    demo.control("heal")
    demo.control("release", half_hours=1)
    wait_until(lambda: ask(url, newest) == [(demo.withheld_from,)], BY_ITSELF_S, every_s=0.2)

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

    wait_until(closed, BY_ITSELF_S, every_s=0.2)
    wait_until(
        lambda: ask(url, "SELECT count(*) FROM ops.etl_runs WHERE status = 'running'") == [(0,)], 60
    )
    triggers = ask(
        url,
        "SELECT DISTINCT trigger FROM ops.etl_runs WHERE status = 'success' AND asset LIKE 'raw.%'",
    )
    assert triggers == [("schedule",)]


def test_telemetry_that_has_come_is_forecast_from_and_past_days_are_back_tested_by_themselves(
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
    wait_until(lambda: ask(url, newest) != [(0,)], BY_ITSELF_S, every_s=0.2)
    wait_until(lambda: ask(url, back_tested) == [(2,)], BY_ITSELF_S, every_s=0.2)
    for _, *told in ask(url, NEWEST_FORECAST):
        assert told == [960, 10, 96, True, True]
    scored = "SELECT count(*) FROM reporting.forecast_accuracy WHERE model <> 'neso'"
    wait_until(lambda: ask(url, scored) != [(0,)], BY_ITSELF_S, every_s=0.2)
    wait_until(
        lambda: "healthy" in demo.grid.run("status", "--demo", code=None).out.splitlines(),
        BY_ITSELF_S,
        lambda: demo.grid.run("status", "--demo", code=None).out,
        every_s=2,
    )


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
    assert not (demo.home / SUPERVISOR_FILE).exists()
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
    assert len(changed) == 2
    assert "Applying migrations" not in again.output()
    assert ask(demo.warehouse, "SELECT count(*) >= 96 FROM core.intensity") == [(True,)]
    assert again.ends(signal.SIGTERM) == 130
    assert grid.nothing_runs()


def test_down_ends_what_a_killed_supervisor_left(demo: Demo) -> None:
    grid = demo.grid
    killed = grid.start("demo", "--port", str(free_port()))
    killed.says("Loading missing data")
    wait_until(lambda: len(grid.marked()) >= 3, 60)
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


# Once to the end, on a server by URL.


@pytest.fixture
def demo_database(server: SecretStr) -> Iterator[Callable[[], SecretStr]]:
    """The demo's own database on the server, dropped afterwards if it was not there before."""
    present = "SELECT FROM pg_database WHERE datname = %s"
    with connect(server) as connection:
        was_there = bool(connection.execute(present, [DEMO_DATABASE]).fetchall())

    def url() -> SecretStr:
        parts = urlsplit(server.get_secret_value())
        return SecretStr(parts._replace(path=f"/{DEMO_DATABASE}").geturl())

    yield url
    if not was_there:
        with connect(server) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                    sql.Identifier(DEMO_DATABASE)
                )
            )


def test_once_runs_to_the_end_again_and_fails_where_anything_failed(
    server: SecretStr, demo_database: Callable[[], SecretStr]
) -> None:
    with grid_in_a_new_folder() as grid, taken_port() as port:
        grid.environment |= {
            "GRID_DATABASE_URL": server.get_secret_value(),
            "GRID_HISTORY_START": history_start(),
            "GRID_UI_PORT": str(port),
            **FEW_BACK_TESTS,
        }
        first = grid.run("demo", "--once").out
        assert all(f"\n  {relation} " in first for relation in RELATIONS)
        assert "and every mix, published or forecast, sums to exactly 100 %." in first
        assert "raw.generation       success" in first
        page = grid.home / "demo" / "files" / "dashboard.html"
        assert f"Dashboard: {page.as_uri()}" in first.splitlines()
        assert "RECORDED data (replay), not live" in page.read_text(encoding="utf-8")
        url = demo_database()
        [(chronos, *of_chronos), naive] = ask(url, NEWEST_FORECAST)
        assert chronos.startswith("chronos:")
        assert f"Forecast by {chronos} from " in first
        assert "Warning" not in first
        assert of_chronos == [960, 10, 96, True, True]
        assert naive == ("seasonal_naive", *of_chronos)
        scored = ask(url, "SELECT DISTINCT model FROM reporting.forecast_accuracy ORDER BY 1")
        assert {(chronos,), ("seasonal_naive",)} <= set(scored)
        for (model,) in scored:
            assert re.search(rf"^  {re.escape(model)} .*\d+\.\d", first, re.MULTILINE)
        kept = ask(url, "SELECT count(*), max(captured_at) FROM raw.generation")
        assert kept[0][0] > 96

        grid.run("demo", "--once")
        again = ask(url, "SELECT count(*), max(captured_at) FROM raw.generation")
        assert again == kept or again[0][0] == kept[0][0] + 1  # a half-hour has ended meanwhile

        with psycopg.connect(url.get_secret_value(), autocommit=True) as connection:
            stamp = connection.execute("SELECT kind, shift_weeks FROM ops.warehouse").fetchone()
            restamp = "UPDATE ops.warehouse SET kind = %s, shift_weeks = %s"
            connection.execute(restamp, ["live", None])
            try:
                refused = grid.run("demo", "--once", code=1)
            finally:
                connection.execute(restamp, stamp)
        assert "holds LIVE data" in one_sentence(refused.text)
        assert ask(url, "SELECT count(*) FROM raw.generation")[0] == again[0][:1]
        assert not grid.marked()
        assert not grid.servers()
    assert ask(server, "SELECT 1") == [(1,)]


# The targets of make.


@pytest.mark.parametrize(
    ("target", "calls"),
    [
        (("demo", "ONCE=1"), ".venv/bin/grid demo --once"),
        (("demo",), ".venv/bin/grid demo"),
        (("up",), ".venv/bin/grid up"),
        (("down",), ".venv/bin/grid down"),
        (
            ("test",),
            '.venv/bin/pytest -m "not unit" -n auto --dist loadfile --no-loadscope-reorder',
        ),
        (("bench",), ".venv/bin/python -m bench"),
    ],
)
def test_make_only_calls_the_command(target: tuple[str, ...], calls: str) -> None:
    made = subprocess.run(
        ["make", "-n", "--no-print-directory", *target],
        cwd=PROJECT_DIR,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout.splitlines()[-1].strip() == calls


def test_the_tests_leave_no_process_of_theirs_behind(demo: Demo) -> None:
    assert demo.grid.nothing_runs()
    folder = str(demo.grid.folder)
    assert not [p for p in psutil.process_iter(["cmdline"]) if folder in str(p.info["cmdline"])]
