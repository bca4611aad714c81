"""Processes forked from one that has imported everything: importing Dagster takes 2 s of CPU.

`Grid` is a `grid` command with its own variables, folder, outputs and signals. Only its command
line, and what it has imported, are not those of the installed command.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Final

from bench.chaos import nursery
from grid_assets import cli
from grid_assets.progress import spoken

PRELOADED: Final = (__name__, *nursery.PRELOADED)

PROCESSES: Final = ForkServerContext()
PROCESSES.set_forkserver_preload([*PRELOADED])
"""For all tests: Python has one such process, and imports in it what was set last."""


class Grid:
    """A `grid` command, with what tests use of `subprocess.Popen`."""

    def __init__(
        self, arguments: list[str], env: dict[str, str], cwd: Path, out: Path, err: Path
    ) -> None:
        for file in (out, err):
            file.touch()
        self.process = PROCESSES.Process(
            target=_run, args=(arguments, env, cwd, out, err), daemon=True
        )
        self.process.start()

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self, timeout: float) -> int:
        self.process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("grid", timeout)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(
    arguments: list[str], env: dict[str, str], cwd: Path, timeout: float
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run` with `capture_output`."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        grid = Grid(arguments, env, cwd, out, err)
        try:
            code = grid.wait(timeout)
        finally:
            grid.kill()
        texts = [file.read_text(encoding="utf-8") for file in (out, err)]
    return subprocess.CompletedProcess(arguments, code, *texts)


def _run(arguments: list[str], env: dict[str, str], cwd: Path, out: Path, err: Path) -> None:
    for place, file in ((1, out), (2, err)):
        opened = os.open(file, os.O_WRONLY | os.O_APPEND)
        os.dup2(opened, place)
        os.close(opened)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = ["grid", *arguments]
    spoken()  # it has been silent since now, not since the import
    cli.main()
