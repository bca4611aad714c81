"""The process of a run, as a text that another process can check."""

from __future__ import annotations

import os

import psutil

from grid_assets.warehouse.run_log import _host


def this_process() -> str:
    """This process: its machine, its id, and when it was created, in clock ticks of the system.

    An id alone would not do, because the system later gives it to another process.
    """
    process = psutil.Process(os.getpid())
    return f"{process.pid}@{process.create_time():.2f}@{_host()}"


def is_gone(process: str) -> bool | None:
    """Whether a process has ended; None if it cannot be known, because it is on another machine."""
    pid, created, host = process.split("@", 2)
    if host != _host():
        return None
    try:
        found = psutil.Process(int(pid))
        is_same = f"{found.create_time():.2f}" == created
        return not is_same or found.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
