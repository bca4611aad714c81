"""The process of a run, as a text that another process can check."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from grid_assets.warehouse.run_log import _host


def this_process() -> str:
    """This process: its id, when it was created, and its machine.

    An id alone would not do, because the system later gives it to another process.
    """
    return f"{os.getpid()}@{_created(os.getpid())}@{_host()}"


def is_gone(process: str) -> bool | None:
    """Whether a process has ended; None if it cannot be known, because it is on another machine."""
    pid, created, host = process.split("@", 2)
    if host != _host():
        return None
    return _created(int(pid)) != created


def _created(pid: int) -> str | None:
    """When a process was created; None if there is none, or only its exit code waits to be read.

    On Linux in ticks since the start of the machine, which no change of the clock affects.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
    else:
        state, *fields = stat.rpartition(b")")[2].split()  # the name before it may hold anything
        return None if state == b"Z" else fields[18].decode()
    try:
        return str(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None
