"""Runs the `grid` command as users do: as separate processes, with their own GRID_HOME.

`GridCommand` starts, watches and ends them. Time limits are generous: a wait ends as soon as its
condition holds, and a busy machine is not the product's fault.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import psutil
import requests

from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.runtime.supervisor import MARK
from grid_assets.settings import Settings
from grid_assets_tests import forked

T = TypeVar("T")

GRID: Final = Path(sys.executable).parent / "grid"

RUN_TIMEOUT_S: Final = 240
"""For one command on a busy machine; each takes seconds on an idle one."""

SAY_TIMEOUT_S: Final = 240
"""For a line of output of a command that keeps running: the start of the product takes 20 s."""


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Started:
    """A command that keeps running; both its outputs are in one file."""

    process: subprocess.Popen[bytes] | forked.Grid
    file: Path

    def output(self) -> str:
        return self.file.read_text(encoding="utf-8")

    def says(self, text: str, within_s: float = SAY_TIMEOUT_S) -> str:
        """Wait until its output has `text`; returns the line."""

        def line() -> str | None:
            return next((line for line in self.output().splitlines() if text in line), None)

        def said_or_ended() -> bool:
            return line() is not None or self.process.poll() is not None

        wait_until(said_or_ended, within_s, lambda: f"{text!r} in: {self.output()}")
        said = line()
        assert said is not None, f"it ended without {text!r}: {self.output()}"
        return said

    def ends(self, number: signal.Signals | None = None, within_s: float = 60) -> int:
        """Wait for its end, after a signal if one is given; returns the exit code."""
        if number is not None:
            self.process.send_signal(number)
        return self.process.wait(within_s)


@dataclass
class GridCommand:
    """`grid` with a GRID_HOME of its own and none of the settings of the surrounding shell.

    Both sources of the outlook and the regions are off unless `environment` has them.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    started: list[Started] = field(default_factory=list)
    is_forked: bool = False

    @property
    def installed(self) -> GridCommand:
        """The same as the installed command, if it is forked."""
        return replace(self, is_forked=False)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def variables(self, **more: str) -> dict[str, str]:
        outside = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GRID_", "DAGSTER_"))
        }
        # An empty variable is an unset one, and keeps a .env of the checkout from setting it.
        unset = {f"GRID_{name.upper()}": "" for name in Settings.model_fields}
        own = {
            "GRID_HOME": str(self.home),
            "GRID_REGIONS": "false",
            "PYTHONUNBUFFERED": "1",
        }
        return {**outside, **unset, **own, **self.environment, **more}

    def run(self, *arguments: str, code: int | None = 0, **variables: str) -> Ran:
        """Run to the end, and expect the exit code `code` (None: any)."""
        env = self.variables(**variables)
        if self.is_forked:
            ran = forked.run([*arguments], env, self.folder, RUN_TIMEOUT_S)
        else:
            ran = subprocess.run(
                [str(GRID), *arguments],
                env=env,
                cwd=self.folder,
                capture_output=True,
                text=True,
                timeout=RUN_TIMEOUT_S,
            )
        assert code in (None, ran.returncode), (
            f"exit code {ran.returncode}:\n{ran.stdout}{ran.stderr}"
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def start(self, *arguments: str, in_background: bool = False, **variables: str) -> Started:
        """Start and leave running; `in_background` as a shell without job control does with `&`."""
        file = self.folder / f"output {len(self.started)}.txt"
        command = [str(GRID), *arguments]
        if in_background:
            command = ["/bin/sh", "-c", 'trap "" INT; exec "$0" "$@"', *command]
        env = self.variables(**variables)
        process: subprocess.Popen[bytes] | forked.Grid
        if self.is_forked:
            process = forked.Grid([*arguments], env, self.folder, file, file)
        else:
            with file.open("wb") as output:
                process = subprocess.Popen(
                    command,
                    env=env,
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
        started = Started(process, file)
        self.started.append(started)
        return started

    def marked(self, name: str = "demo") -> list[psutil.Process]:
        """Processes that carry the mark of the demo's folder, the supervisor not among them."""
        home = str(self.home / name)
        return [process for process in psutil.process_iter() if _mark(process) == home]

    def servers(self) -> list[psutil.Process]:
        """The embedded PostgreSQL servers whose data is in this folder."""
        return [process for process in psutil.process_iter() if _is_server_of(process, self.home)]

    def nothing_runs(self) -> bool:
        return not self.marked() and not self.servers()

    def close(self) -> None:
        for started in self.started:
            if started.process.poll() is None:
                started.process.terminate()
                try:
                    started.process.wait(30)
                except subprocess.TimeoutExpired:
                    started.process.kill()
                    started.process.wait(30)
        if self.marked() or self.servers():
            self.run("down")


def _mark(process: psutil.Process) -> str | None:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None


def _is_server_of(process: psutil.Process, home: Path) -> bool:
    try:
        return process.name() == "postgres" and Path(process.cwd()).is_relative_to(home)
    except (psutil.Error, OSError):
        return False


@contextmanager
def grid_in_a_new_folder(*, is_forked: bool = False) -> Iterator[GridCommand]:
    """`grid` in a folder with a space in its name that every user may enter, as PostgreSQL needs.

    With `is_forked`, no command has to import anything: it is forked, as `forked` explains.
    """
    folder = Path(tempfile.mkdtemp(prefix="grid test ", dir="/tmp"))
    folder.chmod(0o755)
    grid = GridCommand(folder, is_forked=is_forked)
    try:
        yield grid
    finally:
        grid.close()
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def taken_port() -> Iterator[int]:
    """A port that something listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield int(taken.getsockname()[1])


def wait_until(
    condition: Callable[[], object],
    within_s: float,
    what: str | Callable[[], str] = "it",
    most_s: float = 0.5,
) -> None:
    """Asks at once, then ever less often, down to every `most_s` seconds.

    A question to the database costs 10 ms of CPU time, which other tests need.
    """
    deadline, pause_s = time.monotonic() + within_s, min(0.05, most_s)
    while not condition():
        if time.monotonic() > deadline:
            said = what if isinstance(what, str) else what()
            raise AssertionError(f"Not within {within_s:g} s: {said}")
        time.sleep(pause_s)
        pause_s = min(1.3 * pause_s, most_s)


def wait_out_half_hour(last_s: float) -> None:
    """Wait for the next half-hour if fewer than `last_s` seconds of this one are left."""
    left_s = HALF_HOUR.total_seconds() - time.time() % HALF_HOUR.total_seconds()
    if left_s < last_s:
        time.sleep(left_s)


def within_a_half_hour(act: Callable[[], T]) -> T:
    """What `act` returns; it is done again if a half-hour began meanwhile."""
    while True:
        begun = floor(datetime.now(UTC))
        done = act()
        if floor(datetime.now(UTC)) == begun:
            return done


def ask_dagster(ui: str, query: str, **variables: Any) -> Any:
    """The answer of the GraphQL API that Dagster's UI is made from; an error fails the test."""
    request = {"query": query, "variables": variables}
    answer = requests.post(f"{ui}/graphql", json=request, timeout=60)
    result = answer.json()
    assert "errors" not in result, f"{query}: {result['errors']}"
    return result["data"]


def holders(token: str) -> list[str]:
    """The command lines of all processes of this machine that hold `token`."""
    found = []
    for process in psutil.process_iter():
        try:
            line = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if token in line:
            found.append(line)
    return found


def files_with(folder: Path, token: str) -> list[str]:
    """Files under `folder` that hold `token`, without the data and the password of PostgreSQL."""
    return [
        str(path)
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part in ("data", "password") for part in path.relative_to(folder).parts)
        and token.encode() in path.read_bytes()
    ]
