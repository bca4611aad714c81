"""Fixtures for every test: a real PostgreSQL, a database per test, a replay, a Dagster run.

The server is the one in GRID_DATABASE_URL if that is set, else an embedded one that each worker of
pytest-xdist starts and stops. Tests use only databases that they create, named
`grid_test_…`.
"""

from __future__ import annotations

import gc
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import dagster as dg
import psycopg
import pytest
from dagster._core.storage import event_log, runs
from psycopg import sql
from pydantic import SecretStr

from bench import hosts
from grid_assets.definitions import defs
from grid_assets.defs.assets.raw import neso_forecast
from grid_assets.defs.partitions import range_tags
from grid_assets.defs.planning import HISTORY
from grid_assets.replay.server import ReplayServer
from grid_assets.runtime.postgres import EmbeddedPostgres
from grid_assets.warehouse.connection import Connection, connect
from grid_assets.warehouse.migrate import migrate
from grid_assets.warehouse.stamp import Stamp
from grid_assets_tests import broker, chromium, fake_clock, pooler
from grid_assets_tests.feeds import programs
from grid_assets_tests.running import wait_out_half_hour
from grid_assets_tests.supabase import postgres_cron
from grid_assets_tests.time_left import TimeLeft

# Tiny models are slower on several threads, most of all beside other workers; torch reads this when
# it is imported, here and in the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A Dagster in memory need not know its migrations: alembic would read them all, for each test.
for in_memory in (event_log.in_memory, runs.in_memory):
    vars(in_memory)["stamp_alembic_rev"] = lambda *_: None

fake_clock.share_with_postgres()

SERVER_URL = os.environ.get("GRID_DATABASE_URL", "").strip()


MACHINERY: Final = frozenset({"server", "open_folder", "chromium", "grid", "product", "wheel"})
"""Fixtures that start a server, a process or a browser, or are for tests that do."""

LAST_S: Final = 10
"""Seconds before the end of a half-hour in which no test begins, but for unit tests."""

LONGEST: Final = (
    "test_schedules.py",
    "test_supervisor.py",
    "test_compose_services.py",
    "test_silence.py",
    "test_workers.py",
    "test_bench.py",
    "test_ui.py",
    "test_forecast.py",
    "test_outlook.py",
    "test_cycles.py",
    "test_day.py",
    "test_training.py",
    "test_moving.py",
    "test_automation.py",
    "test_physical_design.py",
    "test_roles.py",
    "test_bad_input.py",
    "test_outlook_gaps.py",
    "test_checks.py",
    "test_bad_outlook.py",
    "test_migrate.py",
    "test_run_retention.py",
    "test_blended_issues.py",
    "test_once.py",
    "test_failures.py",
    "test_other_times.py",
    "test_trial.py",
)
"""They start first, so that no worker is left alone with one at the end."""


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # a worker of pytest-xdist reports nothing
        config.pluginmanager.register(TimeLeft(config))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for no garbage while tests are collected, nor later among what collecting leaves.

    It is a quarter of the time of collecting, which each worker does.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.hookimpl(tryfirst=True)  # before `-m unit` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `unit` what needs no machinery, and put the files that take longest first.

    The tests of a file run in one worker, in order (`--dist loadfile`): the fixtures of a module
    take seconds, and some tests go on where the one before ended.
    """
    slow_modules = set()
    for item in items:
        uses = set(getattr(item, "fixturenames", ()))
        if item.get_closest_marker("slow") is not None or "grid" in uses:
            slow_modules.add(item.path)
        elif MACHINERY.isdisjoint(uses):
            item.add_marker(pytest.mark.unit)
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(
        key=lambda item: (
            places.get(item.path.name, len(LONGEST)),
            item.path not in slow_modules,
        )
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin no test of a few seconds in the last ones of a half-hour.

    Most look at the clock to fill in what there is by now, and look again to ask for it. What is
    meant to work across the end of a half-hour has tests that say which times they mean.
    """
    if item.get_closest_marker("unit") is None:
        wait_out_half_hour(LAST_S)


@pytest.hookimpl(optionalhook=True)  # there is no such hook with -p no:xdist
def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`: three workers more than there are cores, as many tests wait for processes."""
    return len(os.sched_getaffinity(0)) + 3


@pytest.fixture(autouse=True)
def unit_tests_start_nothing(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Keep `make check` fast: a unit test that starts a process or loads a model fails."""
    if request.node.get_closest_marker("unit") is None:
        yield
        return

    def refuse(*arguments: Any, **options: Any) -> None:
        pytest.fail(f"A unit test starts a process: {arguments[1:2]}. Mark it as slow.")

    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
    had_torch = "torch" in sys.modules
    yield
    if not had_torch and "torch" in sys.modules:
        pytest.fail("A unit test has imported torch, which takes seconds. Mark it as slow.")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in the last lines what a machine without some programs has not tested."""
    reports = terminalreporter.stats.get("skipped", [])
    for reason in (
        *(chromium.MISSING, fake_clock.MISSING, pooler.MISSING, postgres_cron.MISSING),
        *(programs.MISSING_PROMTOOL, programs.MISSING_JQ, broker.MISSING, hosts.MISSING),
    ):
        if lost := [report for report in reports if reason in str(report.longrepr)]:
            terminalreporter.write_line(f"NOT TESTED: {len(lost)} tests, {reason}.", red=True)


@pytest.fixture(autouse=True)
def no_settings_from_outside(request: pytest.FixtureRequest) -> None:
    """A test sees no GRID_* or DAGSTER_* variable of the user, and asks no public API.

    Tests with machinery have both sources of the outlook switched off unless they set an address,
    and the regions unless they switch them on.
    """
    monkeypatch = request.getfixturevalue("monkeypatch")
    for name in list(os.environ):
        if name.startswith(("GRID_", "DAGSTER_")):
            monkeypatch.delenv(name)
    if request.node.get_closest_marker("unit") is None:
        for name in ("GRID_ELEXON_URL", "GRID_NESO_PORTAL_URL"):
            monkeypatch.setenv(name, "")
        monkeypatch.setenv("GRID_REGIONS", "false")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that other users may enter, as PostgreSQL needs when tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="grid test ", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server() -> Iterator[SecretStr]:
    """The URL of a database on a server where databases may be created."""
    if SERVER_URL:
        yield SecretStr(SERVER_URL)
        return
    folder = Path(tempfile.mkdtemp(prefix="grid test ", dir="/tmp"))
    folder.chmod(0o755)
    embedded = EmbeddedPostgres(folder / "postgres")
    try:
        url = SecretStr(embedded.start())
        _spare_time(url)
        yield url
    finally:
        embedded.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _spare_time(server: SecretStr) -> None:
    """Let the server lose its data in a power cut: dropping a database takes 0.03 s, not 0.8 s.

    Nor look after hundreds of databases that live for seconds; what needs statistics says ANALYZE.
    And store the password so that a log-in, of which the tests make thousands, takes half as long.
    """
    with connect(server) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("SET scram_iterations = 1")
        password = urlsplit(server.get_secret_value()).password
        connection.execute(sql.SQL("ALTER ROLE CURRENT_USER PASSWORD {}").format(password))


def _named(url: SecretStr, database: str) -> SecretStr:
    return SecretStr(urlunsplit(urlsplit(url.get_secret_value())._replace(path=f"/{database}")))


def _drop(server: SecretStr, name: str) -> None:
    with connect(server) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


@pytest.fixture
def new_database(server: SecretStr) -> Iterator[Callable[[str | None], SecretStr]]:
    """Makes empty databases (or copies of a template) that are dropped after the test."""
    made: list[str] = []

    def make(template: str | None = None) -> SecretStr:
        name = f"grid_test_{secrets.token_hex(6)}"
        command = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template:
            command += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
            if not SERVER_URL:  # half the time where no file is synced
                command += sql.SQL(" STRATEGY FILE_COPY")
        with connect(server) as connection:
            connection.execute(command)
        made.append(name)
        return _named(server, name)

    yield make
    for name in made:
        _drop(server, name)


@pytest.fixture(scope="session")
def kept_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GRID_HOME for runs in this process that make files."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def replay_server() -> Iterator[ReplayServer]:
    with ReplayServer() as running:
        yield running


@pytest.fixture
def replay(replay_server: ReplayServer) -> Iterator[ReplayServer]:
    """The recorded API, without faults and with nothing withheld at the start of each test."""
    yield replay_server
    replay_server.control.heal()
    if replay_server.control.withheld_from is not None:
        replay_server.control.release(None, replay_server.now())


@pytest.fixture(scope="session")
def template(server: SecretStr, replay_server: ReplayServer) -> Iterator[str]:
    """A migrated database, stamped for the session's replay, to copy from."""
    name = f"grid_test_{secrets.token_hex(6)}"
    with connect(server) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    migrate(_named(server, name), Stamp("replay", replay_server.shift_weeks))
    yield name
    _drop(server, name)


@pytest.fixture
def warehouse(new_database: Callable[[str | None], SecretStr], template: str) -> SecretStr:
    """The URL of the test's own migrated, empty warehouse, stamped `replay`."""
    return new_database(template)


@pytest.fixture
def connection(warehouse: SecretStr) -> Iterator[Connection]:
    """An open connection to the test's warehouse, in autocommit mode."""
    with connect(warehouse) as opened:
        yield opened


@pytest.fixture
def rows(warehouse: SecretStr) -> Callable[..., list[tuple[Any, ...]]]:
    """Runs a query on the warehouse and returns its rows."""

    def query(text: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(warehouse.get_secret_value(), autocommit=True) as connection:
            cursor = connection.execute(text.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    return query


@pytest.fixture
def materialise(
    warehouse: SecretStr, replay: ReplayServer, kept_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dg.ExecuteInProcessResult]:
    """Runs the real assets over a range of UTC days, in this process, against the replay."""
    monkeypatch.setenv("GRID_DATABASE_URL", warehouse.get_secret_value())
    monkeypatch.setenv("GRID_API_URL", replay.url)
    monkeypatch.setenv("GRID_API_RETRY_BUDGET_S", "0")
    monkeypatch.setenv("GRID_HOME", str(kept_home))

    def run(
        first: date, last: date | None = None, *, forecast: bool = False, trigger: str = "tick"
    ) -> dg.ExecuteInProcessResult:
        assets = [*HISTORY, neso_forecast] if forecast else HISTORY
        with dg.DagsterInstance.ephemeral() as instance:
            return defs.resolve_job_def("telemetry").execute_in_process(
                instance=instance,
                tags=range_tags(first, last or first, trigger),
                asset_selection=[asset.key for asset in assets],
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )

    return run
