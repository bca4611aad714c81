"""Delivers the messages of a queue: the events of alerts, or those about alarms.

Each is sent once, and tried again later if an address fails. Whoever sends holds its row until the
attempt is noted, so two cycles never send it both. A process that is killed in between sends again
in the next cycle: a message may come twice then, but is never lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import SecretStr

from grid_assets.alerts.sending import Fault, send
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

BUDGET_S: Final = 30.0
"""After this, no further event is begun in a cycle, so that services that hang hold up its end by
no more than this and one message. The rest is sent in the next cycle. It is more than one message
may take, so that one service that hangs leaves time for the others."""

IDLE_S: Final = 60
"""Longer than a message may take, whatever limit the server has for transactions that wait."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The statements that find, lock and note the messages of one table."""

    find: str
    lock: str
    note: str


ALERTS: Final = Queue("alerts/find_pending", "alerts/lock_pending", "alerts/note_attempt")

Send = Callable[[dict[int, SecretStr], str, str], dict[int, Fault | None]]


class NotDelivered(Exception):
    """Some messages did not reach every address; they are tried again in the next cycle."""


@dataclass
class Delivered:
    """What one cycle delivered, and the faults of what it could not."""

    delivered: int = 0
    faults: list[Fault] = field(default_factory=list)

    def raise_for_faults(self) -> None:
        """Raise `NotDelivered` with the first fault."""
        if self.faults:
            more = f" ({len(self.faults)} messages failed.)" if len(self.faults) > 1 else ""
            raise NotDelivered(self.faults[0].message + more)


def deliver(
    connection: Connection,
    urls: Sequence[SecretStr],
    *,
    queue: Queue = ALERTS,
    send_to: Send = send,
    budget_s: float = BUDGET_S,
) -> Delivered:
    """Send what is to be told. An address that fails is not tried again in this cycle."""
    done = Delivered()
    numbered = dict(enumerate(urls, 1))
    failed: dict[int, Fault] = {}
    started = time.monotonic()
    for (delivery,) in connection.execute(statement(queue.find)).fetchall():
        if time.monotonic() - started >= budget_s:
            break
        with connection.transaction():
            pins = {"lock_wait": "10s", "idle": f"{IDLE_S}s"}
            connection.execute(statement("ops/pin_transaction"), pins)
            _deliver(connection, queue, delivery, numbered, failed, send_to, done)
    return done


def _deliver(
    connection: Connection,
    queue: Queue,
    delivery: int,
    urls: dict[int, SecretStr],
    failed: dict[int, Fault],
    send_to: Send,
    done: Delivered,
) -> None:
    row = connection.execute(statement(queue.lock), {"delivery_id": delivery}).fetchone()
    if row is None:
        return
    title, body, delivered_to, only = row
    chosen = urls if only is None else {n: url for n, url in urls.items() if n == only}
    owed = {n: url for n, url in chosen.items() if n not in delivered_to}
    fault = None if chosen else _no_url(only, len(urls))
    if owed:
        if owed.keys() <= failed.keys():
            return
        sent = send_to({n: url for n, url in owed.items() if n not in failed}, title, body)
        failed |= {number: wrong for number, wrong in sent.items() if wrong is not None}
        delivered_to = sorted({*delivered_to, *(n for n, wrong in sent.items() if wrong is None)})
        fault = next((failed[number] for number in owed if number in failed), None)
    is_done = bool(chosen) and chosen.keys() <= set(delivered_to)
    connection.execute(
        statement(queue.note),
        {
            "delivery_id": delivery,
            "delivered_to": delivered_to,
            "is_done": is_done,
            "error_type": fault and fault.kind,
            "error_message": fault and fault.message,
        },
    )
    done.delivered += is_done
    if fault is not None:
        done.faults.append(fault)


def _no_url(only: int | None, count: int) -> Fault:
    if count == 0:
        return Fault(
            "NoUrls",
            "GRID_ALARM_URLS is not set where this cycle runs, so there is nowhere to send to. "
            "Set it to one or more addresses of apprise (docs/alerts.md).",
        )
    return Fault(
        "NoSuchUrl",
        f"The alert has url_number {only}, and GRID_ALARM_URLS has {count}. Change one of them.",
    )
