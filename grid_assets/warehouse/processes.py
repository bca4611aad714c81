"""Processes, so named that another one on the same machine can tell whether they still run."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import psutil


def this_process() -> str:
    """This process: its id, when it started, and its machine.

    An id alone would not do, because the system later gives it to another process.
    """
    return f"{os.getpid()}@{started(os.getpid())}@{host()}"


def is_gone(process: str) -> bool | None:
    """Whether a process has ended; None if it cannot be known, because it is on another machine."""
    pid, began, machine = process.split("@", 2)
    if machine != host():
        return None
    return str(started(int(pid))) != began


def host() -> str:
    """The scope in which a process id is unique: machine, boot and container."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
        return f"{socket.gethostname()}/{boot}/{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:  # not Linux
        return socket.gethostname()


def started(pid: int) -> float | None:
    """When a process of this machine started, None if it is gone or a zombie.

    In seconds since boot, which no clock change moves. A younger process with the same id differs.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        state, *fields = stat.rpartition(")")[2].split()
        return None if state in "ZX" else int(fields[18]) / os.sysconf("SC_CLK_TCK")
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    except ProcessLookupError:  # it ended while it was read
        return None
    try:  # not Linux
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None
