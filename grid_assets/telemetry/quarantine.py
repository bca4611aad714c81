"""The quarantine, `ops.quarantine`: rejected records and bodies are kept with the reason, listed,
and replayed after a fix."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

from psycopg.pq import TransactionStatus

from grid_assets.halfhours import Window
from grid_assets.sources.carbon_intensity.payloads import (
    TWICE,
    GenerationRow,
    IntensityRow,
    Parsed,
    Rejected,
    parse_generation,
    parse_intensity,
)
from grid_assets.telemetry.load import (
    Capture,
    complete_neso_forecast,
    load_generation,
    load_intensity,
)
from grid_assets.warehouse.connection import Connection, storable, write_transaction
from grid_assets.warehouse.statements import statement

MAX_PAYLOAD: Final = 65_536
"""Characters kept of a rejected body: enough to recognise it, too few to fill a disk."""

ALWAYS: Final = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Entry:
    """One open entry of `ops.quarantine`."""

    id: int
    captured_at: datetime
    asset: str
    endpoint: str
    reason: str
    payload: str
    is_body: bool
    times_seen: int
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Replayed:
    """The outcome of one replay; `days` are the UTC days to publish into `core` again."""

    accepted: int
    still_rejected: int
    days: frozenset[date]


def keep(
    connection: Connection,
    asset: str,
    endpoint: str,
    rejected: Iterable[Rejected],
    *,
    captured_at: datetime,
    run_id: str,
    is_body: bool = False,
) -> int:
    """Record rejects outside any transaction of the caller, so that no rollback loses them.

    A payload that is already kept is counted again. Returns the number of rejects, new or not.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("keep rejects outside a transaction: its rollback would lose them")
    entries = [
        {
            "captured_at": captured_at,
            "asset": asset,
            "endpoint": endpoint,
            "reason": storable(reject.reason),
            "payload": storable(reject.payload)[:MAX_PAYLOAD],
            "is_body": is_body or reject.reason.startswith("body:"),
            "run_id": run_id,
        }
        for reject in rejected
    ]
    if entries:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.executemany(statement("ops/keep_reject"), entries)
    return len(entries)


def open_entries(connection: Connection) -> list[Entry]:
    """Entries that are not resolved, oldest first."""
    rows = connection.execute(
        "SELECT id, captured_at, asset, endpoint, reason, payload, is_body, times_seen, "
        "last_seen_at FROM ops.quarantine WHERE resolved_at IS NULL ORDER BY id"
    ).fetchall()
    return [Entry(*row) for row in rows]


def replay(connection: Connection, leave_out: Collection[str] = ()) -> Replayed:
    """Parse every open entry again and load those that pass into `raw` as of their first capture.

    Entries of the assets `leave_out` are left to `outlook.quarantined`.

    One transaction loads an entry and resolves it, so that a crash does both or neither.
    """
    accepted = still_rejected = 0
    days: set[date] = set()
    for entry in open_entries(connection):
        if entry.asset in leave_out:
            continue
        rows = _parse(entry)
        if rows is None:
            still_rejected += 1
            continue
        with write_transaction(connection, entry.asset):
            _LOAD[entry.asset](connection, [Capture(rows, entry.captured_at)])
            connection.execute(
                "UPDATE ops.quarantine SET resolved_at = now() WHERE id = %s", [entry.id]
            )
        accepted += 1
        if entry.asset != "raw.neso_forecast":
            days |= {row.period_start.date() for row in rows}
    return Replayed(accepted, still_rejected, frozenset(days))


_LOAD: Final[dict[str, Callable[[Connection, Any], int]]] = {
    "raw.intensity": partial(load_intensity, replayed=True),
    "raw.generation": partial(load_generation, replayed=True),
    "raw.neso_forecast": complete_neso_forecast,
}


def _parse(entry: Entry) -> list[Any] | None:
    """The rows of an entry, None if any part of it is still rejected."""
    try:
        content = json.loads(entry.payload, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    if entry.is_body and not isinstance(content, dict):
        return None
    versions = entry.reason == TWICE and isinstance(content, list)
    records = content if versions else [content]
    document = content if entry.is_body else {"data": records}
    parsed: Parsed[IntensityRow] | Parsed[GenerationRow]
    if entry.asset in ("raw.intensity", "raw.neso_forecast"):
        parsed = parse_intensity(document, ALWAYS)
    elif entry.asset == "raw.generation":
        parsed = parse_generation(document, ALWAYS)
    else:
        return None
    return list(parsed.rows) if parsed.rows and not parsed.rejected else None
