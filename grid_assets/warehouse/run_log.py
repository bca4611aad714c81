"""The run log, `ops.etl_runs`: one row for each attempt to materialise an asset.

Rows are written on connections of their own, so a rollback of the data does not remove them. The
next process detects the rows of a dead one: on the same machine by its process id, on another by a
heartbeat that has stopped.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import traceback
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from pydantic import SecretStr

from grid_assets.warehouse import processes
from grid_assets.warehouse.connection import Connection, connect, storable
from grid_assets.warehouse.statements import statement
from grid_assets.warehouse.urls import redact

HEARTBEAT_S: Final = 20.0
SILENT: Final = timedelta(minutes=3)
"""A process on another machine counts as dead if its heartbeat is older: nine missed beats."""

_log = logging.getLogger(__name__)

MAX_TRACE: Final = 20_000
"""Characters kept of a stack trace."""

PROCESS_DIED: Final = (
    "The process died without reporting an error (killed, out of memory, or the machine stopped). "
    "The next run will catch up."
)
WRONGLY_CRASHED: Final = (
    "It was taken for crashed meanwhile, because its heartbeats had stopped, but it went on."
)


@dataclass
class Attempt:
    """One attempt while it runs; its counts are written to its row. 0 is not numbered yet."""

    run_id: str
    asset: str
    attempt: int = 0
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
    If that cannot be recorded, the exception is raised all the same, and the next look at the log
    finds the process gone.
    """
    current = Attempt(run_id, asset)
    started = time.monotonic()
    stop = threading.Event()
    heartbeats = threading.Thread(target=_send_heartbeats, args=(url, current, stop), daemon=True)
    try:
        _start(url, current, trigger, first_day, last_day)
        started = time.monotonic()
        heartbeats.start()
        yield current
    except BaseException as error:
        _stop(heartbeats, stop)
        # An interrupt may come after the row was added and before its number was known here.
        if current.attempt or not isinstance(error, Exception):
            try:
                _finish(url, current, started, "failed", error)
            except Exception as lost:
                reason = redact(str(lost), url)
                _log.warning("The end of %s could not be recorded: %s", asset, reason)
        raise
    else:
        _stop(heartbeats, stop)
        _finish(url, current, started, "success", None)


def _start(url: SecretStr, current: Attempt, trigger: str, first_day: date, last_day: date) -> None:
    with connect(url) as connection:
        mark_crashed(connection)
        row = connection.execute(
            statement("ops/start_attempt"),
            {
                "run_id": current.run_id,
                "asset": current.asset,
                "trigger": trigger,
                "first_day": first_day,
                "last_day": last_day,
                "host": processes.host(),
                "pid": os.getpid(),
                "process_started_s": processes.started(os.getpid()),
            },
        ).fetchone()
    assert row is not None
    current.attempt = row[0]


def _stop(heartbeats: threading.Thread, stop: threading.Event) -> None:
    stop.set()
    if heartbeats.is_alive():
        heartbeats.join(timeout=5)


def mark_crashed(connection: Connection) -> int:
    """Mark every running row whose process is gone as `crashed`; returns their number."""
    running = connection.execute(
        "SELECT run_id, asset, attempt, host, pid, process_started_s, "
        "heartbeat_at NOT BETWEEN clock_timestamp() - %(silent)s "
        "AND clock_timestamp() + %(silent)s FROM ops.etl_runs WHERE status = 'running'",
        {"silent": SILENT},
    ).fetchall()
    dead = [
        (run_id, asset, number) for run_id, asset, number, *process in running if _is_gone(*process)
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
    return {run_id: _is_gone(*process) for run_id, *process in rows}


def are_runs_silent(
    connection: Connection, run_ids: Collection[str], silent: timedelta
) -> dict[str, bool]:
    """Whether nothing has been heard of the newest attempt of each run for a while."""
    rows = connection.execute(
        statement("ops/find_run_processes"), {"silent": silent, "run_ids": list(run_ids)}
    ).fetchall()
    return {run_id: is_silent for run_id, *_, is_silent in rows}


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
                "attempt": current.attempt or None,
                "host": processes.host(),
                "pid": os.getpid(),
                "wrongly": WRONGLY_CRASHED,
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
        except Exception as error:
            # Whatever it was, the next beat tries again: without beats, other machines would take
            # this attempt for dead. The run itself reports a lost server.
            _log.warning("A heartbeat of %s failed: %s", current.asset, redact(str(error), url))


def _is_gone(host: str, pid: int, started_s: float | None, silent: bool) -> bool:
    """Whether the process of an attempt is gone.

    On another machine, and for a row of a version that did not record the start of its process, a
    heartbeat that has stopped decides.
    """
    if host != processes.host() or started_s is None:
        return silent
    return processes.started(pid) != started_s
