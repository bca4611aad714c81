"""What a schedule is played in: a server, the recorded APIs, their clocks, and `grid` commands.

The server and the commands live by false clocks, so that every schedule is played at the same time
of the same day, and a clock can be set wrong. Nothing outside a temporary folder is touched.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any, Final, cast
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from pydantic import SecretStr

from bench.chaos.proxy import Proxy, Trap
from bench.results import BenchError
from bench.sandbox import inherited_environment
from grid_assets.halfhours import DAY, HALF_HOUR, floor
from grid_assets.replay.addresses import source_urls
from grid_assets.replay.server import ReplayServer
from grid_assets.runtime import postgres, postgres_programs
from grid_assets.settings import PROJECT_DIR, Settings
from grid_assets.warehouse.connection import Connection, connect

PLAYED_AT: Final = datetime(2027, 3, 10, 13, 17, tzinfo=UTC)
"""The time at which every schedule begins: 17 minutes into a half-hour, so that none ends in it."""

LOADED_AT: Final = PLAYED_AT - timedelta(minutes=145)
"""When the warehouse that schedules start from was loaded: its forecast, from 11:00, is scored by
the half-hours that come later."""

LATEST: Final = timedelta(minutes=8)
"""A schedule begins at most so much later. It may take five minutes more."""

WITHHELD: Final = 4
"""Half-hours that have begun and are not published when a schedule begins."""

LOADED_DAYS: Final = 8
"""Of history: a forecast needs seven."""

END_S: Final = 120
"""A command that has not ended by then hangs."""

WIRES: Final = ("database", "carbon_intensity", "elexon", "neso_portal")
TEMPLATE: Final = "chaos_template"
PLACES: Final = ("lib/*/faketime", "lib*/faketime", "local/lib*/faketime")
FALSE_CLOCK: Final = next(
    (file for place in PLACES for file in Path("/usr").glob(f"{place}/libfaketimeMT.so.1")), None
)


class Hanging(Exception):
    """A command did not end."""


@dataclass
class Command:
    """A `grid` command that has been started."""

    output: Path
    pid: int = 0
    code: int | None = None
    is_killed: bool = False

    def kill(self) -> None:
        if self.pid and self.code is None:
            self.is_killed = True
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def said(self) -> str:
        return self.output.read_text("utf-8", "replace") if self.output.exists() else ""


@dataclass
class Seat:
    """A writer: the proxies between its commands and the rest, and what runs there now."""

    proxies: dict[str, Proxy] = field(default_factory=dict)
    command: Command | None = None


class World:
    """Use it in a `with` block; `database` names the database of the schedule that is played."""

    def __init__(self) -> None:
        if FALSE_CLOCK is None:
            raise BenchError("libfaketime is not installed (Debian: apt install faketime)")
        self.database = "postgres"
        self.outlook = True
        self.mutation: str | None = None
        self.cpu_s = 0.0
        self._stack = ExitStack()
        self._ahead = timedelta(0)
        self._number = 0
        self._said: Queue[dict[str, Any]] = Queue()
        self._running: dict[int, Command] = {}
        self._ended: dict[int, int] = {}

    def __enter__(self) -> World:
        with ExitStack() as stack:
            self.folder = Path(tempfile.mkdtemp(prefix="grid-chaos-", dir="/tmp"))
            self.folder.chmod(0o755)
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self.set_time(LOADED_AT)
            self.embedded = postgres.EmbeddedPostgres(self.folder / "postgres")
            stack.callback(self._remove_server)
            self.server = self._start_server()
            self._spare_time()
            self.replay = stack.enter_context(ReplayServer(now=self.now))
            at = urlsplit(self.replay.url)
            api = (str(at.hostname), int(at.port or 0))
            self.seats = [self._seat(stack, api) for _ in range(2)]
            self._nursery = self._start_nursery()
            stack.callback(self._end_nursery)
            self._load()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # clocks

    def now(self) -> datetime:
        """The right time in this world."""
        return datetime.now(UTC) + self._ahead

    def set_time(self, at: datetime) -> None:
        """Set all clocks right, to `at`; from then on they run."""
        self._ahead = at - datetime.now(UTC)
        self.set_clocks()

    def set_clocks(
        self, process: timedelta = timedelta(0), database: timedelta = timedelta(0)
    ) -> None:
        """Set the clocks of commands and of the server wrong by so much."""
        self.has_wrong_clock = bool(process or database)
        for name, wrong in (("process", process), ("database", database)):
            file = self.folder / f"{name}.clock"
            new = file.with_suffix(".new")
            new.write_text(f"{(self._ahead + wrong).total_seconds():+.3f}\n")
            new.chmod(0o644)
            new.replace(file)

    def _clock_variables(self, name: str) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(FALSE_CLOCK),
            "FAKETIME_TIMESTAMP_FILE": str(self.folder / f"{name}.clock"),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # with it, threads of Python would fight for its lock and use twice the CPU time
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }

    # the server

    def _start_server(self) -> SecretStr:
        real, variables = postgres_programs.run, self._clock_variables("database")

        def run(user: postgres_programs.User, *program: str, **options: Any) -> Any:
            named = [f"{name}={value}" for name, value in variables.items()]
            return real(user, "/usr/bin/env", *named, *program, **options)

        for module in (postgres_programs, postgres):
            vars(module)["run"] = run  # its programs do not inherit variables
        try:
            return SecretStr(self.embedded.start())
        finally:
            for module in (postgres_programs, postgres):
                vars(module)["run"] = real

    def _spare_time(self) -> None:
        with self.connect("postgres") as connection:
            for name in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
                connection.execute(
                    sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(name))
                )
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("SET scram_iterations = 1")
            password = urlsplit(self.server.get_secret_value()).password
            connection.execute(sql.SQL("ALTER ROLE CURRENT_USER PASSWORD {}").format(password))

    def restart_server(self) -> None:
        """As after a crash: every session ends at once, and the server recovers."""
        lines = (self.embedded.home / "data" / "postmaster.pid").read_text().splitlines()
        with suppress(ProcessLookupError):
            os.kill(int(lines[0]), signal.SIGQUIT)
            for _ in range(500):
                os.kill(int(lines[0]), 0)
                time.sleep(0.02)
        self._start_server()

    def _remove_server(self) -> None:
        self.embedded.stop()
        shutil.rmtree(self.embedded.home, ignore_errors=True)

    def url(self, database: str | None = None, port: int | None = None) -> SecretStr:
        """The address of a database, straight to the server unless through the proxy at `port`."""
        parts = urlsplit(self.server.get_secret_value())
        name = f"/{database or self.database}"
        place = f"{parts.username}:{parts.password}@127.0.0.1:{port or parts.port}"
        return SecretStr(urlunsplit(parts._replace(netloc=place, path=name)))

    def connect(self, database: str | None = None) -> Connection:
        return connect(self.url(database))

    def new_database(self, name: str) -> None:
        """A copy of the loaded warehouse, for a schedule; the one before is dropped."""
        with self.connect("postgres") as connection:
            if self.database not in ("postgres", TEMPLATE):
                connection.execute(
                    sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(self.database))
                )
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                    sql.Identifier(name), sql.Identifier(TEMPLATE)
                )
            )
        self.database = name

    def end_sessions(self) -> None:
        """As an operator or a fail-over would: end every session of the database."""
        with suppress(psycopg.Error), self.connect("postgres") as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [self.database],
            )

    # commands

    def _seat(self, stack: ExitStack, api: tuple[str, int]) -> Seat:
        seat = Seat()

        def act(trap: Trap) -> None:
            if trap.action == "kill" and seat.command is not None:
                seat.command.kill()
            elif trap.action == "terminate":
                self.end_sessions()
            elif trap.action == "restart":
                self.restart_server()
            elif trap.action == "clock":
                self.set_clocks(process=timedelta(minutes=trap.amount))

        def database() -> tuple[str, int]:
            parts = urlsplit(self.server.get_secret_value())
            return "127.0.0.1", int(parts.port or 0)

        for name in WIRES:
            target: Callable[[], tuple[str, int]]
            target = database if name == "database" else lambda: api
            seat.proxies[name] = stack.enter_context(Proxy(target, act))
        return seat

    def _start_nursery(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.chaos.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=PROJECT_DIR,
            env=inherited_environment()
            | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT_DIR)}
            | self._clock_variables("process"),
        )

        def listen() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                self._said.put(json.loads(line))

        Thread(target=listen, daemon=True).start()
        return process

    def _end_nursery(self) -> None:
        for command in list(self._running.values()):
            command.kill()
        assert self._nursery.stdin is not None
        self._nursery.stdin.close()
        self._nursery.wait(30)
        for file in Path("/dev/shm").glob("*faketime_s*_*"):
            if not Path("/proc", file.name.rpartition("_")[2]).exists():
                with suppress(OSError):  # it may be that of another user
                    file.unlink()

    def variables(self, seat: Seat) -> dict[str, str]:
        """The environment of a command of this seat."""
        urls = source_urls(f"http://127.0.0.1:{seat.proxies['carbon_intensity'].port}")
        elexon, portal = (seat.proxies[name].port for name in ("elexon", "neso_portal"))
        chosen: dict[str, object] = {
            **dict.fromkeys(Settings.model_fields, ""),
            **urls,
            "elexon_url": source_urls(f"http://127.0.0.1:{elexon}")["elexon_url"],
            "neso_portal_url": source_urls(f"http://127.0.0.1:{portal}")["neso_portal_url"],
            **({} if self.outlook else {"elexon_url": "", "neso_portal_url": ""}),
            "home": self.folder / f"home-{self.database}",
            "database_url": self.url(port=seat.proxies["database"].port).get_secret_value(),
            "history_start": (LOADED_AT - LOADED_DAYS * DAY).date(),
            "backtest_days": 0,
            "regions": "false",
            "api_timeout_s": 2,
            "api_retry_budget_s": 3,
        }
        ours = {f"GRID_{name.upper()}": str(value) for name, value in chosen.items()}
        clock = self._clock_variables("process")
        del clock["LD_PRELOAD"]  # is loaded already, and what a command starts needs no false clock
        return inherited_environment() | {"OMP_NUM_THREADS": "1"} | ours | clock

    def start(self, number: int, *arguments: str) -> Command:
        """Start a command at a seat; it goes through the seat's proxies."""
        seat = self.seats[number]
        self._number += 1
        command = Command(self.folder / f"output-{self.database}-{self._number}.txt")
        self._running[self._number] = command
        seat.command = command
        document = {
            "number": self._number,
            "arguments": arguments,
            "environment": self.variables(seat),
            "folder": str(self.folder),
            "output": str(command.output),
            "mutation": self.mutation,
        }
        assert self._nursery.stdin is not None
        self._nursery.stdin.write(json.dumps(document).encode() + b"\n")
        self._nursery.stdin.flush()
        self.listen_until(lambda: command.pid != 0, END_S)
        return command

    def wait(self, command: Command, within_s: float = END_S) -> bool:
        """Whether the command has ended within this time."""
        return self.listen_until(lambda: command.code is not None, within_s)

    def finish(self, command: Command) -> int:
        """The exit code of the command. Raises `Hanging`, after killing it, if it does not end."""
        if not self.wait(command):
            command.kill()
            self.wait(command)
            raise Hanging(f"did not end within {END_S} s")
        return cast(int, command.code)

    def listen_until(self, condition: Callable[[], bool], within_s: float) -> bool:
        deadline = time.monotonic() + within_s
        while not condition():
            try:
                said = self._said.get(timeout=min(0.05, max(0.001, deadline - time.monotonic())))
            except Empty:
                if time.monotonic() > deadline:
                    return False
                if self._nursery.poll() is not None:
                    raise BenchError("The process that forks commands has ended") from None
                continue
            if "started" in said:
                self._running[said["number"]].pid = said["started"]
            elif "ended" in said:
                self.cpu_s += said["cpu_s"]
                for number, command in list(self._running.items()):
                    if command.pid == said["ended"]:
                        command.code = said["code"]
                        del self._running[number]
        return True

    def _load(self) -> None:
        """The warehouse that every schedule starts from."""
        with self.connect("postgres") as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        self.database = TEMPLATE
        for arguments in (["migrate"], ["tick"], ["tick"]):  # the portal's data sets take turns
            command = self.start(0, *arguments)
            if self.finish(command) != 0:
                raise BenchError(f"`grid {arguments[0]}` failed:\n{command.said()[-3000:]}")
        with self.connect("postgres") as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(
                    sql.Identifier(TEMPLATE)
                )
            )

    def begin(self, name: str, *, outlook: bool) -> None:
        """A new warehouse, all clocks right, no fault, and four half-hours yet to be published."""
        if not PLAYED_AT <= self.now() < PLAYED_AT + LATEST:
            self.set_time(PLAYED_AT)
            time.sleep(2)  # until every process has read the new time
        self.new_database(name)
        self.outlook = outlook
        self.heal()
        self.replay.control.release(None, self.now())
        self.replay.control.withhold(WITHHELD, self.now())

    @property
    def first_withheld(self) -> datetime:
        """The first half-hour that is not published; those before are a schedule's past."""
        return floor(PLAYED_AT) - (WITHHELD - 1) * HALF_HOUR

    def await_end_of_sessions(self, within_s: float) -> None:
        """Wait until no session of the database is left, or for so long."""
        deadline = time.monotonic() + within_s
        with self.connect("postgres") as connection:
            while time.monotonic() < deadline:
                left = connection.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [self.database]
                ).fetchone()
                if left == (0,):
                    return
                time.sleep(0.05)

    def heal(self) -> None:
        """All clocks right, no faults, no traps, no broken connection left."""
        self.set_clocks()
        self.replay.control.heal()
        for seat in self.seats:
            seat.command = None
            for proxy in seat.proxies.values():
                proxy.disarm()

    def let_half_hour_pass(self) -> None:
        self._ahead += HALF_HOUR
        self.set_clocks()
