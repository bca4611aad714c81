"""Forks `grid` commands from one process that has imported everything and lives by a false clock.

Importing Dagster takes 2 s of CPU, a fork a tenth. The process reads a command from each line of
its standard input, forks, and writes a line when the child has started and when it has ended. The
children have variables, outputs and signals of their own; SIGKILL ends them as it ends any process.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import time
from typing import Any, Final

from bench.chaos.clocks import sleep

PRELOADED: Final = (
    "grid_assets.cli.__main__",
    "grid_assets.cli.runs",
    "grid_assets.defs.storage",
    "grid_assets.definitions",
    "grid_assets.forecasting.covariates",
    "grid_assets.forecasting.issuing",
    "holidays.countries",
    "jinja2",
    "matplotlib.backends.backend_agg",
    "matplotlib.dates",
    "matplotlib.figure",
    "PIL.PngImagePlugin",
    "psycopg2.extras",
    "upath.core",
)
"""What commands import, but not onnxruntime: it starts a thread, which would not be forked."""


def prepare() -> None:
    """Do once what every command would do: half of the CPU time of a cycle."""
    for name in PRELOADED:
        __import__(name)
    from grid_assets.definitions import defs
    from grid_assets.warehouse.statements import render, sql_dir

    for file in sql_dir().rglob("*.sql"):
        name = str(file.relative_to(sql_dir()).with_suffix(""))
        if not (name.startswith("migrations/") or file.name.startswith("_")):
            render(name)
    defs.resolve_job_def("telemetry")
    gc.freeze()


def main() -> None:
    prepare()
    time.sleep = sleep
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    _say(ready=True)
    lines = b""
    while True:
        ready, _, _ = select.select([0, wake], [], [])
        if wake in ready:
            os.read(wake, 4096)
            _report_ended()
        if 0 in ready:
            new = os.read(0, 65_536)
            if not new:
                return
            *whole, lines = (lines + new).split(b"\n")
            if any(_is_child(json.loads(line), (wake, waker)) for line in whole):
                break
    from grid_assets import cli
    from grid_assets.progress import spoken

    spoken()  # it has been silent since now, not since the import
    cli.main()


def _report_ended() -> None:
    while True:
        try:
            pid, status, used = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        code = os.waitstatus_to_exitcode(status)
        _say(ended=pid, code=code, cpu_s=used.ru_utime + used.ru_stime)


def _is_child(command: dict[str, Any], ours: tuple[int, ...]) -> bool:
    """Fork; the child returns True, with everything of its own."""
    pid = os.fork()
    if pid:
        _say(number=command["number"], started=pid)
        return False
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for descriptor in ours:
        os.close(descriptor)
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(command["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for place, descriptor in ((0, nothing), (1, output), (2, output)):
        os.dup2(descriptor, place)
    os.environ.clear()
    os.environ.update(command["environment"])
    os.chdir(command["folder"])
    sys.argv = ["grid", *command["arguments"]]
    if command["mutation"]:
        from bench.chaos.mutations import MUTATIONS

        MUTATIONS[command["mutation"]][0]()
    return True


def _say(**document: Any) -> None:
    os.write(1, json.dumps(document).encode() + b"\n")


if __name__ == "__main__":
    main()
