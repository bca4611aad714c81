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
from urllib.parse import urlsplit

from bench.chaos.clocks import SEEN_S, Clocks, sweep
from bench.chaos.proxy import Proxy, Trap
from bench.chaos.server import Server
from bench.results import BenchError
from bench.sandbox import inherited_environment
from grid_assets.halfhours import DAY, HALF_HOUR, floor
from grid_assets.replay.addresses import source_urls
from grid_assets.replay.server import ReplayServer
from grid_assets.settings import PROJECT_DIR, Settings

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
    """Use it in a `with` block. `begin` makes it ready for a schedule."""

    def __init__(self) -> None:
        self.outlook = True
        self.mutation: str | None = None
        self.cpu_s = 0.0
        self._stack = ExitStack()
        self._number = 0
        self._said: Queue[dict[str, Any]] = Queue()
        self._running: dict[int, Command] = {}

    def __enter__(self) -> World:
        with ExitStack() as stack:
            self.folder = Path(tempfile.mkdtemp(prefix="grid-chaos-", dir="/tmp"))
            self.folder.chmod(0o755)
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self.clocks = Clocks(self.folder)
            self.clocks.set_time(LOADED_AT)
            self.server = Server(self.folder / "postgres", self.clocks)
            stack.callback(self.server.remove)
            self.replay = stack.enter_context(ReplayServer(now=self.clocks.now))
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

    def _seat(self, stack: ExitStack, api: tuple[str, int]) -> Seat:
        seat = Seat()

        def act(trap: Trap) -> None:
            if trap.action == "kill" and seat.command is not None:
                seat.command.kill()
            elif trap.action == "terminate":
                self.server.end_sessions()
            elif trap.action == "restart":
                self.server.restart()
            elif trap.action == "clock":
                self.clocks.set(process=timedelta(minutes=trap.amount))

        for name in WIRES:
            target: Callable[[], tuple[str, int]]
            target = (lambda: self.server.address) if name == "database" else lambda: api
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
            | self.clocks.variables("process"),
        )

        def listen() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                self._said.put(json.loads(line))

        self._listener = Thread(target=listen, daemon=True)
        self._listener.start()
        return process

    def _end_nursery(self) -> None:
        for command in list(self._running.values()):
            command.kill()
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.close()
        self._nursery.wait(30)
        self._listener.join(30)
        self._nursery.stdout.close()
        sweep()

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
            "home": self.folder / f"home-{self.server.database}",
            "database_url": self.server.url(port=seat.proxies["database"].port).get_secret_value(),
            "history_start": (LOADED_AT - LOADED_DAYS * DAY).date(),
            "backtest_days": 0,
            "regions": "false",
            "api_timeout_s": 2,
            "api_retry_budget_s": 3,
        }
        ours = {f"GRID_{name.upper()}": str(value) for name, value in chosen.items()}
        clock = self.clocks.variables("process")
        del clock["LD_PRELOAD"]  # is loaded already, and what a command starts needs no false clock
        return inherited_environment() | {"OMP_NUM_THREADS": "1"} | ours | clock

    def start(self, number: int, *arguments: str) -> Command:
        """Start a command at a seat; it goes through the seat's proxies."""
        seat = self.seats[number]
        self._number += 1
        command = Command(self.folder / f"output-{self.server.database}-{self._number}.txt")
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
        self.server.make_template()
        for arguments in (["migrate"], ["tick"], ["tick"]):  # the portal's data sets take turns
            command = self.start(0, *arguments)
            if self.finish(command) != 0:
                raise BenchError(f"`grid {arguments[0]}` failed:\n{command.said()[-3000:]}")
        self.server.close_template()

    def begin(self, name: str, *, outlook: bool) -> None:
        """A new warehouse, all clocks right, no fault, and four half-hours yet to be published."""
        if not PLAYED_AT <= self.clocks.now() < PLAYED_AT + LATEST:
            self.clocks.set_time(PLAYED_AT)
            time.sleep(SEEN_S)
        self.server.copy_template(name)
        self.outlook = outlook
        self.heal()
        self.replay.control.release(None, self.clocks.now())
        self.replay.control.withhold(WITHHELD, self.clocks.now())

    @property
    def first_withheld(self) -> datetime:
        """The first half-hour that is not published; those before are a schedule's past."""
        return floor(PLAYED_AT) - (WITHHELD - 1) * HALF_HOUR

    def heal(self) -> None:
        """All clocks right, no faults, no traps, no broken connection left."""
        self.clocks.set()
        self.replay.control.heal()
        for seat in self.seats:
            seat.command = None
            for proxy in seat.proxies.values():
                proxy.disarm()
