"""A code server, a daemon, a broker and a worker, each a process with a GRID_HOME of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg
import pytest
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from pydantic import SecretStr

from grid_assets.defs.partitions import FIRST_IN_QUEUE
from grid_assets.halfhours import DAY
from grid_assets.replay.server import ReplayServer
from grid_assets.runtime.environment import Environment
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import connect
from grid_assets_tests import broker
from grid_assets_tests.running import GRID, free_port, wait_until
from grid_assets_tests.shared_warehouse import copied

pytestmark = broker.needs_redis

DAYS: Final = 93  # two runs
OPEN: Final = "status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED')"


@dataclass
class Parts:
    """The processes, and the database that they share."""

    root: Path
    warehouse: SecretStr
    replay: ReplayServer
    broker_port: int = field(default_factory=free_port)
    code_port: int = field(default_factory=free_port)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def broker(self) -> SecretStr:
        return SecretStr(f"redis://127.0.0.1:{self.broker_port}/0")

    def environment(self, home: str, **settings: object) -> dict[str, str]:
        chosen = {
            "home": self.root / home,  # its own
            "api_url": self.replay.url,
            "elexon_url": "",
            "neso_portal_url": "",
            "regions": False,
            "backtest_days": 0,
            "database_url": self.warehouse.get_secret_value(),
            "telemetry_cron": "0 0 1 1 *",  # the tests say when
            "run_launcher": "celery",
            "celery_broker_url": self.broker.get_secret_value(),
            "code_server": f"127.0.0.1:{self.code_port}",
            "backfill_runs": 1,
            **settings,
        }
        values = {**dict.fromkeys(Settings.model_fields, ""), **chosen}
        inherited = {name: value for name, value in os.environ.items() if "DAGSTER" not in name}
        return inherited | {f"GRID_{name.upper()}": str(value) for name, value in values.items()}

    def start(self, name: str) -> None:
        """Start `grid start <name>`."""
        with self.log(name).open("ab") as log:
            self.running[name] = subprocess.Popen(
                [str(GRID), "start", name],
                env=self.environment(name),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_broker(self) -> None:
        command = ["redis-server", "--port", str(self.broker_port), "--bind", "127.0.0.1"]
        with self.log("broker").open("ab") as log:
            self.running["broker"] = subprocess.Popen(
                [*command, "--save", ""], cwd=self.root, stdout=log, stderr=log
            )

    def log(self, name: str) -> Path:
        return self.root / f"{name}.log"

    def said(self) -> str:
        logs = (file.read_text(errors="replace")[-1500:] for file in self.root.glob("*.log"))
        return "\n\n".join(logs)

    def is_ready(self, name: str) -> bool:
        assert self.running[name].poll() is None, self.said()
        if name == "daemon":
            return bool(self.rows("SELECT FROM dagster.daemon_heartbeats"))
        word = {"worker": " ready.", "code-server": "Started Dagster code server"}[name]
        return word in self.log(name).read_text(errors="replace")

    def wait_for(self, *names: str) -> None:
        for name in names:
            wait_until(partial(self.is_ready, name), 120, self.said)

    def end(self, name: str, number: int = signal.SIGKILL) -> None:
        process = self.running.pop(name)
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
        process.wait(60)

    def close(self) -> None:
        for name in list(self.running):
            process = self.running.pop(name)
            for number in (signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    if name == "broker":
                        process.send_signal(number)
                    else:
                        os.killpg(process.pid, number)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(30)

    def grid(self, *arguments: object, **settings: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(GRID), *map(str, arguments)],
            env=self.environment("control", **settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=300,
        )

    def backfill(self, first: date, last: date) -> subprocess.CompletedProcess[str]:
        return self.grid("backfill", "--from", first, "--to", last, "--no-outlook")

    @contextmanager
    def waiting_backfill(self, first: date, last: date) -> Iterator[subprocess.Popen[bytes]]:
        """A backfill whose run waits for the worker, which stands still until `resume_worker`."""
        started = datetime.now(UTC)
        os.killpg(self.running["worker"].pid, signal.SIGSTOP)
        loading = subprocess.Popen(
            [str(GRID), "backfill", "--from", str(first), "--to", str(last), "--no-outlook"],
            env=self.environment("control"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(lambda: [run for run in self.runs_since(started) if run[1]], 120, self.said)
            yield loading
        finally:  # for the next test, if this one fails
            loading.kill()
            loading.wait()
            with suppress(KeyError, ProcessLookupError):
                self.resume_worker()

    def resume_worker(self) -> None:
        os.killpg(self.running["worker"].pid, signal.SIGCONT)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with suppress(psycopg.errors.UndefinedTable), connect(self.warehouse) as connection:
            return connection.execute(query.encode(), values or None).fetchall()
        return []

    def runs_since(self, at: datetime) -> list[tuple[str, bool, bool]]:
        """Status of each run, whether a worker had it, and whether it was a cycle."""
        has = (
            "EXISTS (SELECT FROM dagster.run_tags AS t WHERE t.run_id = r.run_id AND t.key = '{}')"
        )
        (cycle,) = FIRST_IN_QUEUE
        return self.rows(
            f"SELECT status, {has.format(DAGSTER_CELERY_TASK_ID_TAG)}, {has.format(cycle)} "  # noqa: S608
            "FROM dagster.runs AS r WHERE create_timestamp >= %s ORDER BY r.id",
            at.replace(tzinfo=None),
        )


@pytest.fixture(scope="module")
def parts(server: SecretStr, template: str, replay_server: ReplayServer) -> Iterator[Parts]:
    with (
        copied(server, template) as shared,
        tempfile.TemporaryDirectory(prefix="grid-parts-") as folder,
    ):
        made = Parts(Path(folder), shared, replay_server)
        try:
            made.start_broker()
            made.start("code-server")
            made.start("worker")
            made.wait_for("code-server")
            made.start("daemon")
            made.wait_for("worker", "daemon")
            yield made
        finally:
            made.close()


@pytest.fixture
def today() -> date:
    return datetime.now(UTC).date()


CONTENTS: Final = """
    SELECT md5(string_agg((to_jsonb(i) - 'captured_at')::text, ' ' ORDER BY period_start)), count(*)
    FROM core.intensity AS i WHERE period_start < %(end)s
    UNION ALL
    SELECT md5(string_agg((to_jsonb(m) - 'captured_at')::text, ' ' ORDER BY period_start)), count(*)
    FROM core.generation_mix AS m WHERE period_start < %(end)s
"""


def test_a_backfill_runs_on_the_worker_and_loads_what_one_process_loads(
    parts: Parts, today: date, warehouse: SecretStr
) -> None:
    started = datetime.now(UTC)
    days = today - DAYS * DAY, today - DAY
    done = parts.backfill(*days)
    assert done.returncode == 0, done.stdout
    of_days = [run for run in parts.runs_since(started) if not run[2]]
    assert of_days[:2] == [("SUCCESS", True, False)] * 2
    alone = parts.grid(
        "backfill", "--from", days[0], "--to", days[1], "--no-outlook",
        run_launcher="local", celery_broker_url="",
        database_url=warehouse.get_secret_value(),
    )  # fmt: skip
    assert alone.returncode == 0, alone.stdout
    end = {"end": datetime.combine(today, datetime.min.time(), UTC)}
    with connect(warehouse) as one, connect(parts.warehouse) as other:
        expected = one.execute(CONTENTS.encode(), end).fetchall()
        assert other.execute(CONTENTS.encode(), end).fetchall() == expected
    assert all(count >= 48 * (DAYS - 1) for _, count in expected)


def test_a_cycle_waits_for_no_worker(parts: Parts, today: date) -> None:
    """The one worker stands still with a run over the past, and new telemetry is published."""
    started = datetime.now(UTC)
    with parts.waiting_backfill(today - 200 * DAY, today - 199 * DAY) as loading:
        raw_row = (
            "INSERT INTO raw.intensity (period_start, captured_at, forecast_gco2_kwh) "
            "VALUES (date_bin('30 minutes', now(), 'epoch'), clock_timestamp(), 123)"
        )
        with connect(parts.warehouse) as connection:
            connection.execute(raw_row)
        wait_until(lambda: ("SUCCESS", False, True) in parts.runs_since(started), 120, parts.said)
        assert loading.poll() is None
        parts.resume_worker()
        assert loading.wait(120) == 0, parts.said()


def test_the_steps_of_a_run_go_to_the_worker_with_its_executor(parts: Parts, today: date) -> None:
    (found,) = (line for line in parts.grid("doctor").stdout.splitlines() if "workers" in line)
    assert found.startswith("ok")
    started = datetime.now(UTC)
    settings = Settings(api_url=parts.replay.url, executor="celery", celery_broker_url=parts.broker)
    opened = Environment(settings, parts.root / "control", parts.warehouse)
    days = f"{today - 3 * DAY}...{today - 2 * DAY}"
    assets = "raw/intensity,core/intensity"
    ran = subprocess.run(
        [str(GRID.with_name("dagster")), "asset", "materialize", "-m", "grid_assets.definitions",
         "--select", assets, "--partition-range", days],
        env=parts.environment("control") | opened.variables(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout
    worker = psutil.Process(parts.running["worker"].pid)
    did = parts.rows(  # the sensor may start runs meanwhile
        "SELECT asset, status, pid FROM ops.etl_runs WHERE started_at > %s AND trigger = 'manual'",
        started,
    )
    assert {row[:2] for row in did} == {
        ("raw.intensity", "success"),
        ("core.intensity", "success"),
    }
    assert {pid for *_, pid in did} <= {each.pid for each in worker.children(recursive=True)}


def test_a_worker_that_is_killed_loses_no_day(parts: Parts, today: date) -> None:
    """What it had is closed when a worker starts again on its machine, and done by that one."""
    first, last = today - 150 * DAY, today - 148 * DAY
    started = datetime.now(UTC)
    days = "SELECT count(*) FROM raw.intensity WHERE period_start >= %s AND period_start < %s"
    with parts.waiting_backfill(first, last) as loading:  # so that it is killed in the run
        parts.resume_worker()
        wait_until(
            lambda: parts.rows(
                "SELECT FROM ops.etl_runs WHERE started_at >= %s AND status = 'running'", started
            ) or parts.rows(days, first, last + DAY)[0][0],
            120, parts.said,
        )  # fmt: skip
        os.killpg(parts.running["worker"].pid, signal.SIGKILL)
        parts.end("worker")
        parts.log("worker").unlink()
        parts.start("worker")
        assert loading.wait(240) == 0, parts.said()
    for relation in ("raw.intensity", "core.intensity", "raw.generation", "core.generation_mix"):
        (count,) = parts.rows(
            f"SELECT count(DISTINCT period_start) FROM {relation} "  # noqa: S608
            "WHERE period_start >= %s AND period_start < %s", first, last + DAY,
        )  # fmt: skip
        assert count == (3 * 48,)
    is_open = (
        f"SELECT FROM dagster.runs WHERE {OPEN} "  # noqa: S608
        "UNION ALL SELECT FROM ops.etl_runs WHERE status = 'running'"
    )
    wait_until(lambda: not parts.rows(is_open), 120, parts.said)


def test_without_the_broker_runs_start_on_the_code_server(parts: Parts, today: date) -> None:
    started = datetime.now(UTC)
    parts.end("broker")
    try:
        done = parts.backfill(today - 300 * DAY, today - 299 * DAY)
        assert done.returncode == 0, done.stdout
        assert ("SUCCESS", False, False) in parts.runs_since(started)
        (said,) = parts.rows(
            "SELECT count(*) FROM dagster.event_logs WHERE timestamp >= %s "
            "AND event LIKE '%%GRID_CELERY_BROKER_URL%%'",
            started.replace(tzinfo=None),
        )
        assert said[0] >= 1
    finally:
        parts.start_broker()
