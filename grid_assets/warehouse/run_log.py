"""The run log, `ops.etl_runs`: one row for each attempt to materialise an asset.

Rows are written on connections of their own, so a rollback of the data does not remove them. The
next process detects the rows of a dead one: on the same machine by its process id, on another by a
heartbeat that has stopped.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import traceback
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import psutil
from pydantic import SecretStr

from grid_assets.warehouse.connection import Connection, WarehouseError, connect, storable
from grid_assets.warehouse.statements import statement
from grid_assets.warehouse.urls import redact

HEARTBEAT_S: Final = 20.0
SILENT: Final = timedelta(minutes=3)
"""A process on another machine counts as dead if its heartbeat is older: nine missed beats."""

MAX_TRACE: Final = 20_000
"""Characters kept of a stack trace."""

PROCESS_DIED: Final = (
    "The process died without reporting an error (killed, out of memory, or the machine stopped). "
    "The next run will catch up."
)


@dataclass
class Attempt:
    """One attempt while it runs; its counts are written to its row."""

    run_id: str
    asset: str
    attempt: int
    rows_fetched: int = 0
    rows_written: int = 0
    rows_quarantined: int = 0


@contextmanager
def attempt(
    url: SecretStr,
    *,
    run_id: str,
    asset: str,
    trigger: str,
    first_day: date,
    last_day: date,
) -> Iterator[Attempt]:
    """Record the block as an attempt in `ops.etl_runs`: `running`, then `success` or `failed`.

    Any exception, even an interrupt, is recorded with its message and stack trace, then re-raised.
    """
    with connect(url) as connection:
        mark_crashed(connection)
        row = connection.execute(
            statement("ops/start_attempt"),
            {
                "run_id": run_id,
                "asset": asset,
                "trigger": trigger,
                "first_day": first_day,
                "last_day": last_day,
                "host": _host(),
                "pid": os.getpid(),
            },
        ).fetchone()
    assert row is not None
    current = Attempt(run_id, asset, row[0])
    started = time.monotonic()
    stop = threading.Event()
    heartbeats = threading.Thread(target=_send_heartbeats, args=(url, current, stop), daemon=True)
    heartbeats.start()
    try:
        yield current
    except BaseException as error:
        _finish(url, current, started, "failed", error)
        raise
    else:
        _finish(url, current, started, "success", None)
    finally:
        stop.set()
        heartbeats.join(timeout=5)


def mark_crashed(connection: Connection) -> int:
    """Mark every running row whose process is gone as `crashed`; returns their number."""
    running = connection.execute(
        "SELECT run_id, asset, attempt, host, pid, started_at, "
        "heartbeat_at < clock_timestamp() - %s FROM ops.etl_runs WHERE status = 'running'",
        [SILENT],
    ).fetchall()
    dead = [
        (run_id, asset, number)
        for run_id, asset, number, host, pid, started_at, silent in running
        if (not _is_alive(pid, started_at.timestamp()) if host == _host() else silent)
    ]
    for run_id, asset, number in dead:
        connection.execute(
            statement("ops/mark_crashed"),
            {"message": PROCESS_DIED, "run_id": run_id, "asset": asset, "attempt": number},
        )
    return len(dead)


def are_run_processes_gone(connection: Connection, run_ids: Collection[str]) -> dict[str, bool]:
    """Whether the process of each run is gone; a run without an attempt is left out."""
    rows = connection.execute(
        statement("ops/find_run_processes"), {"silent": SILENT, "run_ids": list(run_ids)}
    ).fetchall()
    return {
        run_id: not _is_alive(pid, started_at.timestamp()) if host == _host() else silent
        for run_id, host, pid, started_at, silent in rows
    }


def _finish(
    url: SecretStr, current: Attempt, started: float, status: str, error: BaseException | None
) -> None:
    message = storable(redact(str(error) or type(error).__name__, url)) if error else None
    trace = storable(redact("".join(traceback.format_exception(error)), url)) if error else None
    with connect(url) as connection:
        connection.execute(
            statement("ops/finish_attempt"),
            {
                "status": status,
                "took_ms": round((time.monotonic() - started) * 1000),
                "fetched": current.rows_fetched,
                "written": current.rows_written,
                "rejected": current.rows_quarantined,
                "error_type": type(error).__name__ if error else None,
                "message": message,
                "trace": trace[-MAX_TRACE:] if trace else None,
                "run_id": current.run_id,
                "asset": current.asset,
                "attempt": current.attempt,
            },
        )


def _send_heartbeats(url: SecretStr, current: Attempt, stop: threading.Event) -> None:
    while not stop.wait(HEARTBEAT_S):
        try:
            with connect(url) as connection:
                connection.execute(
                    "UPDATE ops.etl_runs SET heartbeat_at = clock_timestamp() "
                    "WHERE run_id = %s AND asset = %s AND attempt = %s",
                    [current.run_id, current.asset, current.attempt],
                )
        except WarehouseError:
            continue  # the next beat may succeed; the run itself reports a lost server


def _host() -> str:
    """The scope in which a process id is unique: machine, boot and container."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
        return f"{socket.gethostname()}/{boot}/{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:  # not Linux
        return socket.gethostname()


def _is_alive(pid: int, started: float) -> bool:
    """Whether the process that started an attempt at `started` (Unix time) is still running.

    A younger process with the same id is a different one. Two seconds allow for clock differences.
    """
    try:
        process = psutil.Process(pid)
        return process.create_time() <= started + 2 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
