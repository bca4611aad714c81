"""One look: judge the tables, note what changed, send what is due, and ping for a cycle.

The daemon's sensor looks every half a minute, commands once at their end.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg
from pydantic import SecretStr

from grid_assets.alarms import outside, telling
from grid_assets.alarms.conditions import Condition, find
from grid_assets.alerts.delivering import deliver
from grid_assets.alerts.sending import Fault
from grid_assets.settings import Settings, SettingsError
from grid_assets.sources.carbon_intensity.client import probe_replay
from grid_assets.sources.http.session import is_loopback
from grid_assets.warehouse.clocks import database_clock
from grid_assets.warehouse.connection import (
    Connection,
    LockBusy,
    WarehouseError,
    connect,
    is_database_error,
    read_only_reason,
)
from grid_assets.warehouse.run_log import mark_crashed
from grid_assets.warehouse.stamp import read_stamp
from grid_assets.warehouse.urls import redact

SETTLE: Final = timedelta(seconds=15)
"""How long ago a cycle ended for the daemon: between two assets of a run, nothing runs either."""

LOOKS: Final = 2
"""How often a command looks: after an old message was sent at last, the next may be written."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Due:
    """What a look found to send: messages, and the end of a cycle with its reason if it failed."""

    messages: bool = False
    cycle_at: datetime | None = None
    reason: str | None = None

    def __bool__(self) -> bool:
        return self.messages or self.cycle_at is not None


def is_set(settings: Settings) -> bool:
    """Whether there is anyone to tell."""
    return settings.alarm_urls is not None or settings.heartbeat_url is not None


def is_recorded(settings: Settings) -> bool:
    """Whether the data comes from a replay on this machine; asks without the database."""
    return is_loopback(settings.api_url) and probe_replay(settings.api_url) is not None


def look(
    connection: Connection,
    settings: Settings,
    *,
    settle: timedelta = SETTLE,
    command: str | None = None,
    failure: str | None = None,
) -> Due:
    """Judge and note. Recorded data raises no alarm and is no sign of life.

    `failure` is why the `command` that looks failed, if it did: a condition of its own where the
    tables do not show it. Raises `WarehouseError` or psycopg's errors if the database fails.
    """
    stamp = read_stamp(connection)
    if stamp is None or stamp.kind == "replay":
        return Due()
    if (reason := read_only_reason(connection)) is not None:
        raise WarehouseError(reason)
    mark_crashed(connection)
    now = min(datetime.now(UTC), database_clock(connection))
    conditions = find(connection, settings, now)
    is_shown = any(
        each.severity == "severe" and each.key.startswith(("failed ", "blocked "))
        for each in conditions
    )
    if command is not None and failure is not None:
        key = f"{COMMAND}{command}"
        is_open = any(e.key == key and e.ended_at is None for e in telling.read_open(connection))
        if is_open or not is_shown:
            conditions.insert(0, Condition(key, "severe", f"{command}: {failure}"))
    conditions = [*conditions, *_of_other_commands(connection, command)]
    can_tell = bool(settings.alarm_url_list)
    telling.note(connection, conditions, now, can_tell=can_tell)
    severe = [each.what for each in conditions if each.severity == "severe"]
    return Due(
        messages=can_tell and telling.has_message(connection, now),
        cycle_at=telling.find_cycle(connection, now, settle) if _pings(settings) else None,
        reason="\n".join(severe) or None,
    )


COMMAND: Final = "command "
"""How the keys of failed commands begin. A later one of the same name ends them, and so does an
attempt at the same work that succeeded: nobody has to repeat what failed by hand."""


def _of_other_commands(connection: Connection, command: str | None) -> list[Condition]:
    """Failed commands that this look can say nothing new of: what holds stays as it is."""
    return [
        Condition(each.key, each.severity, each.what)
        for each in telling.read_open(connection)
        if each.key.startswith(COMMAND)
        and each.key != f"{COMMAND}{command}"
        and each.ended_at is None
        and not telling.has_worked(connection, _work_of(each.key), each.began_at)
    ]


def _work_of(key: str) -> str:
    return "forecast.predictions" if key.endswith(" forecast") else "raw.intensity"


def _pings(settings: Settings) -> bool:
    return settings.heartbeat_url is not None and settings.heartbeat_fault is None


def send_due(warehouse: SecretStr, settings: Settings, due: Due) -> list[Fault]:
    """Ping, then deliver, on a connection of its own; the faults of what must be tried again."""
    faults: list[Fault] = []
    with connect(warehouse) as connection:
        if due.cycle_at is not None and settings.heartbeat_url is not None:
            fault = telling.tell_heartbeat(
                connection, settings.heartbeat_url, due.cycle_at, due.reason
            )
            faults += [fault] if fault else []
        if due.messages:
            faults += deliver(connection, settings.alarm_url_list, queue=telling.QUEUE).faults
    return faults


def after_command(
    settings: Settings,
    home: Path,
    warehouse: SecretStr | None,
    command: str,
    error: Exception | None,
) -> list[str]:
    """Look at the end of a command, also of one that failed, or whose database did. Returns a
    sentence for each address that did not take what it was sent; nothing is raised: a good cycle
    stays one, whatever prevents telling."""
    if not is_set(settings):
        return []
    if is_recorded(settings):
        return []
    failure = None
    if error is not None:
        failure = " ".join(str(error).split())[:500] or type(error).__name__
        if warehouse is not None:
            failure = redact(failure, warehouse)
    try:
        faults = _tell_of_command(settings, home, warehouse, command, error, failure)
    except LockBusy:  # whoever has the lock is looking, or the next look finds the same
        return []
    except Exception as lost:
        return [f"Alarms could not be sent: {type(lost).__name__}."]
    return [fault.message for fault in faults]


def _tell_of_command(
    settings: Settings,
    home: Path,
    warehouse: SecretStr | None,
    command: str,
    error: Exception | None,
    failure: str | None,
) -> list[Fault]:
    """Tell of a command that ended well, or with an `error` that is `failure` in words."""
    now = datetime.now(UTC)
    faults: list[Fault] = []
    if isinstance(error, SettingsError):  # there was no cycle to ping for
        fault = outside.ping_failed(settings, failure or "")
        faults += [fault] if fault else []
        if warehouse is None:
            return faults
    is_lost = error is not None and is_database_error(error) and not isinstance(error, LockBusy)
    if is_lost or (warehouse is None and error is not None):
        return outside.tell(settings, home, "database", failure or "", now, each_time=True)
    if warehouse is None:
        return []
    outside.prepare(home)
    try:
        with connect(warehouse) as connection:
            for _ in range(LOOKS):
                due = look(
                    connection, settings, settle=timedelta(0), command=command, failure=failure
                )
                if not due or faults:
                    break
                faults += send_due(warehouse, settings, due)
        return faults + outside.clear(settings, home, "database", now)
    except LockBusy:
        raise
    except (WarehouseError, psycopg.Error) as lost:
        said = redact(" ".join(str(lost).split()), warehouse)
        return outside.tell(settings, home, "database", said, now, each_time=True)


class Courier:
    """Sends in the background, one thing at a time: the daemon's sensor must not wait for it."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, warehouse: SecretStr, settings: Settings, due: Due) -> None:
        """Begin to send; what fails is in the tables, and in the log."""
        self._thread = threading.Thread(
            target=self._send, args=(warehouse, settings, due), daemon=True, name="alarms"
        )
        self._thread.start()

    def wait(self, timeout_s: float) -> None:
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _send(self, warehouse: SecretStr, settings: Settings, due: Due) -> None:
        try:
            for fault in send_due(warehouse, settings, due):
                _log.warning("%s", fault.message)
        except Exception as error:  # whatever it was, the next look finds the same
            _log.warning("Alarms could not be sent: %s", redact(str(error), warehouse))
