"""A cluster on machines made of namespaces, and commands on them."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from bench.hosts import MISSING, Host, Lan, can_make_hosts, lan
from bench.results import BenchError
from bench.sandbox import GRID, inherited_environment
from grid_assets.runtime.postgres_programs import find_programs, run, server_user
from grid_assets.settings import Settings

API_PORT: Final = 8765
CODE_PORT: Final = 4000
READY_S: Final = 120
CYCLE_EVERY: Final = timedelta(minutes=1)
"""So that several cycles fall into a backfill of minutes."""

WITH_API: Final = '"$1" replay --port {port} >/dev/null 2>&1 & shift; sleep 1; exec "$@"'
"""Starts a program beside an API of its own: a recording is only taken from the same machine."""

START: Final = (GRID, "start")

_ports: Final = iter(range(8800, 9800))
"""A port for the API of each command, because several run on one machine."""


class Command:
    """A command of `grid` that ends by itself."""

    def __init__(self, host: Host, command: list[str], environment: Mapping[str, str]) -> None:
        self._command, self._started = command, time.monotonic()
        handle, name = tempfile.mkstemp(dir=host.folder, prefix="command-", suffix=".log")
        self._log = Path(name)
        with open(handle, "w", encoding="utf-8") as output:
            self._process = host.popen(command, environment, output)

    def end(self) -> float:
        """Wait until it has ended; returns the seconds. Raises `BenchError` if it failed."""
        code = self._process.wait()
        seconds = time.monotonic() - self._started
        if code != 0:
            said = self._log.read_text(encoding="utf-8", errors="replace")
            raise BenchError(f"{self._command[-6:]} ended with {code}:\n{said[-3000:]}")
        return seconds


@dataclass
class Cluster:
    """The machines, and what runs on them."""

    network: Lan
    database: Host
    broker: Host
    control: Host
    workers: list[Host]

    def environment(self, **settings: object) -> dict[str, str]:
        """What every machine has in its environment."""
        chosen = {
            "home": self.network.seen / "home",
            "api_url": f"http://127.0.0.1:{API_PORT}",
            "regions": False,
            "backtest_days": 0,
            "backtest_stride_hours": 24,
            "database_url": f"postgresql://postgres@{self.database.address}/postgres",
            "telemetry_cron": f"*/{CYCLE_EVERY // timedelta(minutes=1)} * * * *",
            "code_server": f"{self.control.address}:{CODE_PORT}",
            "run_launcher": "celery",
            "celery_broker_url": f"redis://{self.broker.address}/0",
            "backfill_runs": max(len(self.workers), 1),
            **settings,
        }
        values = {**dict.fromkeys(Settings.model_fields, ""), **chosen}
        ours = {f"GRID_{name.upper()}": str(value) for name, value in values.items()}
        return inherited_environment() | ours

    def start(self, host: Host, *command: str) -> None:
        """Start `grid start …` on a machine, beside an API of its own."""
        port = next(_ports)
        environment = self.environment(api_url=f"http://127.0.0.1:{port}")
        host.start(_with_api(port, [*START, *command]), environment, command[0])

    def start_worker(self, host: Host) -> None:
        self.start(host, "worker")

    def start_broker(self) -> None:
        """Start Redis, which keeps nothing on disk: what it held is lost when it ends."""
        bind = ["--bind", self.broker.address, "--protected-mode", "no"]
        self.broker.start(["redis-server", *bind, "--save", ""], os.environ, "redis")

    def grid(self, *arguments: object, **settings: object) -> Command:
        """Start a command on the machine of the code server."""
        port = next(_ports)
        url = f"http://127.0.0.1:{port}"
        command = _with_api(port, [GRID, *map(str, arguments)])
        return Command(self.control, command, self.environment(api_url=url, **settings))

    def rows(
        self, query: LiteralString | sql.SQL, values: Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """Ask the database, through its socket: this process is on none of the networks."""
        url = make_conninfo(host=str(self.database.folder), user="postgres", dbname="postgres")
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(query, values).fetchall()

    def wait(self, is_so: Callable[[], bool], what: str, seconds: float = READY_S) -> None:
        """Wait until something is so. Raises `BenchError` after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            with suppress(psycopg.Error, OSError):
                if is_so():
                    return
            if time.monotonic() > deadline:
                raise BenchError(f"After {seconds:.0f} s there are no {what}. {self._logs()}")
            time.sleep(0.3)

    def _logs(self) -> str:
        logs = [file for host in self.network.hosts for file in sorted(host.folder.glob("*.log"))]
        return "\n".join(f"{file}: {file.read_text(errors='replace')[-500:]}" for file in logs)


@contextmanager
def cluster(workers: int) -> Iterator[Cluster]:
    """Machines with PostgreSQL, a broker, a code server and a daemon, and some workers; without
    workers, machines on which a command works alone.

    Raises `BenchError` if such machines cannot be made here, or there is no broker for them.
    """
    if not can_make_hosts():
        raise BenchError(f"No machines can be made here: {MISSING}")
    if shutil.which("redis-server") is None:
        raise BenchError("redis-server is not installed (Debian: apt install redis-server)")
    with lan() as network:
        database, broker, control = (network.host(name) for name in ("db", "broker", "control"))
        made = [network.host(f"worker{n}") for n in range(1, workers + 1)]
        one = Cluster(network, database, broker, control, made)
        _start_postgres(one)
        one.start_broker()
        one.grid("migrate").end()
        if workers:
            one.start(control, "code-server", "--host", control.address)
            one.start(control, "daemon")
            for worker in made:
                one.start_worker(worker)
            one.wait(lambda: _are_ready(one), "daemon and workers")
        yield one


def _with_api(port: int, command: list[str]) -> list[str]:
    return ["sh", "-c", WITH_API.format(port=port), "sh", GRID, *command]


def _start_postgres(one: Cluster) -> None:
    host = one.database
    user = server_user(host.folder)
    programs, _ = find_programs(Path(tempfile.gettempdir()) / "grid-bench-programs", user)
    host.folder.chmod(0o777)
    data = host.folder / "data"
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
    run(user, str(programs / "initdb"), "-D", str(data), *options)
    with (data / "pg_hba.conf").open("a", encoding="utf-8") as file:
        file.write("host all all samenet trust\n")
    seen = one.network.seen
    uid, gid = user or (os.getuid(), os.getgid())
    become = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
    listen = ["-h", host.address, "-k", str(seen)]
    command = [*become, str(programs / "postgres"), "-D", str(seen / "data"), *listen]
    host.start(command, os.environ, "postgres")
    one.wait(lambda: bool(one.rows("SELECT 1")), "PostgreSQL")


def _are_ready(one: Cluster) -> bool:
    said = [host.log("worker").read_text(errors="replace") for host in one.workers]
    ((beats,),) = one.rows("SELECT count(*) FROM dagster.daemon_heartbeats")
    return beats > 0 and all(" ready." in text for text in said)
