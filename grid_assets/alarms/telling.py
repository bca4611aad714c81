"""Keeps episodes and messages in `ops`, and tells the heartbeat of each cycle once.

Looks take turns under the lock of `ops.alarms`, and whoever sends holds the row of the message, or
of the heartbeat, so two senders never tell the same twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from pydantic import SecretStr

from grid_assets.alarms import episodes
from grid_assets.alarms.conditions import Condition
from grid_assets.alarms.episodes import Episode, News
from grid_assets.alarms.heartbeat import ping
from grid_assets.alerts.delivering import Queue
from grid_assets.alerts.sending import Fault
from grid_assets.halfhours import DAY
from grid_assets.warehouse.connection import Connection, lock_relation, storable
from grid_assets.warehouse.statements import statement

RELATION: Final = "ops.alarms"

QUEUE: Final = Queue("alarms/find_pending", "alarms/lock_pending", "alarms/note_attempt")

LOCK_WAIT_S: Final = 3.0
"""Another look takes milliseconds. If it takes longer, the next look does the work."""

HOUR: Final = timedelta(hours=1)

NEWEST_DAYS: Final = ("schedule", "tick", "manual")
"""Triggers of runs that load the newest days."""


def note(
    connection: Connection, conditions: Sequence[Condition], now: datetime, *, can_tell: bool
) -> None:
    """Note what holds and what no longer does, and write a message if there is news.

    Nothing is locked or written if nothing changed.
    """
    open_ones = read_open(connection)
    told = episodes.news(open_ones, now, can_tell=can_tell)
    has_changed = episodes.changes(open_ones, conditions, {}) or told.silent
    if not has_changed and not (told and _may_write(connection, now)):
        return
    with connection.transaction():
        lock_relation(connection, RELATION, wait_s=LOCK_WAIT_S)
        _record(connection, conditions, now)
        told = episodes.news(read_open(connection), now, can_tell=can_tell)
        if told and _may_write(connection, now):
            _write(connection, told, now)
        _close(connection, told.silent, [], now)


def read_open(connection: Connection) -> list[Episode]:
    """The episodes that are open."""
    return [Episode(*row) for row in connection.execute(statement("alarms/read_open"))]


def _record(connection: Connection, conditions: Sequence[Condition], now: datetime) -> None:
    before: dict[str, int] = dict(
        connection.execute(
            statement("alarms/read_closed"), {"since": now - episodes.SAME}
        ).fetchall()
    )
    changed = episodes.changes(read_open(connection), conditions, before)
    for condition, times in changed.begun:
        values = {"key": condition.key, "severity": condition.severity, "times": times, "now": now}
        connection.execute(
            statement("alarms/begin_episode"), {**values, "what": storable(condition.what)}
        )
    for episode, condition in changed.resumed:
        connection.execute(
            statement("alarms/resume_episode"),
            {
                "alarm_id": episode.alarm_id,
                "severity": condition.severity,
                "what": storable(condition.what),
            },
        )
    ids = [each.alarm_id for each in changed.ended]
    connection.execute(statement("alarms/end_episodes"), {"ids": ids, "now": now})


def _may_write(connection: Connection, now: datetime) -> bool:
    """Whether another message may be written: not while one still waits that nobody has, because
    the next then sums up what happened meanwhile."""
    row = connection.execute(statement("alarms/may_write"), {"since": now - HOUR}).fetchone()
    assert row is not None
    return row[0] < episodes.MOST_AN_HOUR and not row[1]


def _write(connection: Connection, told: News, now: datetime) -> None:
    title, body = episodes.message(told)
    values = {"now": now, "title": storable(title), "body": storable(body)}
    connection.execute(statement("alarms/add_message"), values)
    untold = [each.alarm_id for each in (*told.began, *told.over) if each.told_at is None]
    connection.execute(statement("alarms/mark_told"), {"ids": untold, "now": now})
    _close(connection, told.over, told.over, now)


def _close(
    connection: Connection, over: Sequence[Episode], recovered: Sequence[Episode], now: datetime
) -> None:
    values = {
        "ids": [each.alarm_id for each in over],
        "recovered": [each.alarm_id for each in recovered],
        "now": now,
    }
    connection.execute(statement("alarms/close_episodes"), values)


def has_message(connection: Connection, now: datetime) -> bool:
    """Whether a message is to be sent now; gives up those that waited for a day."""
    connection.execute(statement("alarms/expire_messages"), {"before": now - DAY})
    return connection.execute(statement("alarms/find_pending")).fetchone() is not None


def find_cycle(connection: Connection, now: datetime, settle: timedelta) -> datetime | None:
    """When the newest cycle ended that the heartbeat was not told of; None if there is none."""
    row = connection.execute(
        statement("alarms/find_cycle"),
        {"cycles": [*NEWEST_DAYS], "since": now.date() - DAY, "settle": settle},
    ).fetchone()
    told = connection.execute(statement("alarms/last_ping")).fetchone()
    ended: datetime | None = row[0] if row else None
    if ended is None or (told is not None and told[0] is not None and told[0] >= ended):
        return None
    return ended


def has_worked(connection: Connection, asset: str, since: datetime) -> bool:
    """Whether an attempt at an asset that started after `since` has succeeded."""
    values = {"asset": asset, "since": since}
    return connection.execute(statement("alarms/find_success"), values).fetchone() is not None


def tell_heartbeat(
    connection: Connection, url: SecretStr, cycle_at: datetime, reason: str | None
) -> Fault | None:
    """Ping once for a cycle, with the reason if it was not healthy; its fault, if any."""
    with connection.transaction():
        pins = {"lock_wait": "3s", "idle": "60s"}
        connection.execute(statement("ops/pin_transaction"), pins)
        row = connection.execute(statement("alarms/lock_heartbeat")).fetchone()
        if row is None or (row[0] is not None and row[0] >= cycle_at):
            return None
        fault = ping(url, reason)
        connection.execute(
            statement("alarms/note_ping"),
            {
                "cycle_at": cycle_at,
                "is_healthy": reason is None,
                "error_type": fault and fault.kind,
                "error_message": fault and fault.message,
            },
        )
    return fault
