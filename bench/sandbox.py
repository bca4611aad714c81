"""A folder and a PostgreSQL for one benchmark, and `grid` commands measured in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, Final, LiteralString

import psutil
from psycopg import sql
from pydantic import SecretStr

from bench.results import BenchError
from grid_assets.replay.server import ReplayServer
from grid_assets.runtime.postgres import EmbeddedPostgres
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import connect

GRID: Final = str(Path(sys.executable).parent / "grid")
STOP_S: Final = 60
SAMPLE_S: Final = 0.05  # memory grows over seconds in these commands; a sample costs about 1 ms


@dataclass(frozen=True, slots=True)
class Ran:
    """One command: wall time from start to end, and peak memory of all its processes."""

    seconds: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A temporary `GRID_HOME`, and the URL of its running server."""

    home: Path
    url: SecretStr

    def environment(self, replay: ReplayServer, **settings: object) -> dict[str, str]:
        """The environment that makes `grid` work here; `settings` are named as in `Settings`."""
        # without the regions, which have a benchmark of their own
        chosen = {"home": self.home, "api_url": replay.url, "regions": False, **settings}
        # Other settings are set to empty, so that no line of a .env file takes effect.
        values = {**dict.fromkeys(Settings.model_fields, ""), **chosen}
        ours = {f"GRID_{name.upper()}": str(value) for name, value in values.items()}
        return inherited_environment() | ours

    def grid(self, replay: ReplayServer, *arguments: object, **settings: object) -> Ran:
        """Run `grid` as an operator would. Raises `BenchError` if it fails."""
        environment, peak = self.environment(replay, **settings), 0
        with tempfile.NamedTemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            started = time.monotonic()
            process = start([*map(str, arguments)], environment, output)
            try:
                while True:
                    with suppress(subprocess.TimeoutExpired):
                        code = process.wait(SAMPLE_S)
                        break
                    peak = max(peak, _bytes_in_memory(process.pid))
                seconds = time.monotonic() - started
            finally:
                process.terminate()
                process.wait(STOP_S)
            if code != 0:
                output.seek(0)
                raise BenchError(f"`grid {arguments}` ended with {code}:\n{output.read()[-2000:]}")
        return Ran(seconds, peak / 1e6)

    def tick(self, replay: ReplayServer, **settings: object) -> Ran:
        """Run `grid tick`. Raises `BenchError` unless it makes exactly one Dagster run."""
        count: LiteralString = "SELECT count(*) FROM dagster.runs"
        (before,) = self.row(count)
        ran = self.grid(replay, "tick", **settings)
        (after,) = self.row(count)
        if after != before + 1:
            raise BenchError(f"A cycle made {after - before} Dagster runs, not one")
        return ran

    def rows(self, query: LiteralString | sql.SQL, *values: Any) -> list[tuple[Any, ...]]:
        with connect(self.url) as connection:
            return connection.execute(query, values or None).fetchall()

    def row(self, query: LiteralString | sql.SQL, *values: Any) -> tuple[Any, ...]:
        return self.rows(query, *values)[0]


def start(
    arguments: list[str], environment: dict[str, str], output: IO[str]
) -> subprocess.Popen[bytes]:
    """Start the installed `grid`, as an operator would."""
    return subprocess.Popen([GRID, *arguments], env=environment, stdout=output, stderr=output)


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    """Start a server in a new folder; both are removed at the end."""
    home = Path(tempfile.mkdtemp(prefix="grid-bench-"))
    home.chmod(0o755)  # as root, the server runs as another user, who needs to enter
    embedded = EmbeddedPostgres(home / "postgres")
    try:
        yield Sandbox(home, SecretStr(embedded.start()))
    finally:
        try:
            embedded.stop()
        finally:
            for folder in (embedded.home, home):
                shutil.rmtree(folder, ignore_errors=True)


@cache
def bench_sql(name: str) -> sql.SQL:
    """The text of `bench/sql/<name>.sql`."""
    return sql.SQL((Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8"))


def inherited_environment() -> dict[str, str]:
    """The environment without variables that would change where or how a command works."""
    ours = ("GRID_", "DAGSTER_", "PG")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _bytes_in_memory(pid: int) -> int:
    """Memory of a process and its descendants.

    On Linux, pages that several share are divided among them: a child that has just been forked
    would double the figure.
    """
    total = 0
    with suppress(psutil.NoSuchProcess):  # it has just ended
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            memory = one.memory_full_info()
            total += getattr(memory, "pss", memory.rss)
    return total
