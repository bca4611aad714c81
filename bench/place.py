"""Where a benchmark works: a folder, a PostgreSQL and a recorded API of its own, gone at its end.

Belongs here: making and removing that place, and running `grid` in it while its memory is watched.
Does not belong here: what is measured.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import FrameType
from typing import Any, Final

import psutil
from pydantic import SecretStr

from bench.results import BenchError
from grid_assets.replay.server import ReplayServer
from grid_assets.runtime.postgres import EmbeddedPostgres
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import connect

GRID: Final = Path(sys.executable).parent / "grid"

SAMPLE_S: Final = 0.05
"""Memory grows over seconds in these commands; a sample costs about a millisecond."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One command: wall time from its start to its end, and the most memory of its processes."""

    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Place:
    """A temporary `GRID_HOME` with a running server, whose URL `warehouse` is."""

    home: Path
    warehouse: SecretStr

    def grid(
        self, replay: ReplayServer, *arguments: str, history_start: date, **settings: object
    ) -> Ran:
        """Run `grid` as an operator would. Raises `BenchError` when it fails."""
        environment = self.environment(replay, history_start=history_start, **settings)
        return _run([str(GRID), *arguments], environment)

    def environment(self, replay: ReplayServer, **settings: object) -> dict[str, str]:
        """What `grid` works here with; `settings` are named as in `Settings`."""
        chosen = {"home": self.home, "api_url": replay.url, **settings}
        return {
            # Set though empty, so that no line of a file .env takes effect.
            **{f"GRID_{name.upper()}": "" for name in Settings.model_fields},
            **untouched_environment(),
            **{f"GRID_{name.upper()}": str(value) for name, value in chosen.items()},
        }

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with connect(self.warehouse) as connection:
            return connection.execute(query.encode(), values or None).fetchall()

    def row(self, query: str, *values: Any) -> tuple[Any, ...]:
        return self.rows(query, *values)[0]

    def version(self) -> str:
        """The server's version, such as 18.3."""
        return str(self.row("SELECT current_setting('server_version')")[0]).split()[0]


@contextmanager
def temporary_place() -> Iterator[Place]:
    home = Path(tempfile.mkdtemp(prefix="grid-bench-"))
    home.chmod(0o755)  # as root, the server runs as another user, who has to get in
    embedded = EmbeddedPostgres(home / "postgres")
    try:
        yield Place(home, SecretStr(embedded.start()))
    finally:
        try:
            embedded.stop()
        finally:
            for folder in (embedded.home, home):
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """Make a polite kill or a closed terminal end like Ctrl-C, so that every place is removed."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    names = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(name, interrupt) for name in names]
    try:
        yield
    finally:
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)


def untouched_environment() -> dict[str, str]:
    """The environment without what would make the commands work elsewhere or otherwise."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GRID_", "DAGSTER_", "PG"))
    }


def _run(command: list[str], environment: dict[str, str]) -> Ran:
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        started = time.monotonic()
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, text=True
        )
        peak = 0
        try:
            while True:
                try:
                    process.wait(SAMPLE_S)
                    break
                except subprocess.TimeoutExpired:
                    peak = max(peak, _tree_rss(process.pid))
            seconds = time.monotonic() - started
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        if process.returncode != 0:
            output.seek(0)
            tail = "".join(output.readlines()[-20:])
            raise BenchError(f"`{' '.join(command)}` ended with {process.returncode}:\n{tail}")
    return Ran(seconds, peak / 1e6)


def _tree_rss(pid: int) -> int:
    """Bytes in memory of a process and all below it; pages that they share count for each."""
    total = 0
    try:
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            total += one.memory_info().rss
    except psutil.NoSuchProcess:
        pass  # ended between two looks
    return total
