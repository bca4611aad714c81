"""Tries the quarantined records and bodies of the regions again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from grid_assets.regional.load import (
    load_regional,
    load_regional_forecast,
    tenths_of,
    too_large,
)
from grid_assets.sources.carbon_intensity.regional import RegionalRow, parse_regional
from grid_assets.telemetry.load import Capture
from grid_assets.telemetry.quarantine import ALWAYS, Entry, Replayed, open_entries
from grid_assets.warehouse.connection import Connection, write_transaction

ASSETS: Final = ("raw.regional", "raw.regional_forecast")


def replay(connection: Connection, *, simulated: bool) -> Replayed:
    """Parse every open entry of `ASSETS` again and load those that pass into `raw` as of their
    first capture.

    One transaction loads an entry and resolves it, so that a crash does both or neither.
    """
    accepted = still_rejected = 0
    days: set[date] = set()
    for entry in open_entries(connection):
        if entry.asset not in ASSETS:
            continue
        rows = _parse(entry)
        if rows is None:
            still_rejected += 1
            continue
        with write_transaction(connection, entry.asset):
            _LOAD[entry.asset](connection, rows, entry.captured_at, simulated)
            connection.execute(
                "UPDATE ops.quarantine SET resolved_at = now() WHERE id = %s", [entry.id]
            )
        accepted += 1
        if entry.asset == "raw.regional":
            days |= {row.period_start.date() for row in rows}
    return Replayed(accepted, still_rejected, frozenset(days))


def _parse(entry: Entry) -> list[RegionalRow] | None:
    """The rows of an entry, None if any part of it is still rejected."""
    try:
        content = json.loads(entry.payload, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    document = content if entry.is_body else {"data": content}
    if not isinstance(document, dict):
        return None
    parsed = parse_regional(document, ALWAYS)
    if parsed.rejected or (entry.asset == "raw.regional_forecast" and any(too_large(parsed.rows))):
        return None
    return parsed.rows


def _add(
    connection: Connection, rows: list[RegionalRow], captured_at: datetime, simulated: bool
) -> None:
    load_regional(connection, [Capture(rows, captured_at)], simulated=simulated, replayed=True)


def _complete(
    connection: Connection, rows: list[RegionalRow], captured_at: datetime, simulated: bool
) -> None:
    """Add what a captured forecast lacks, or the whole of it."""
    known = connection.execute(
        "SELECT FROM raw.regional_vintages WHERE issued_at = %s", [captured_at]
    ).fetchone()
    if known is None:
        load_regional_forecast(connection, rows, captured_at, simulated)
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            "SELECT raw.complete_regional_vintage(%s, %s::smallint, %s, %s::smallint[])",
            [(captured_at, row.region_id, row.period_start, tenths_of(row)) for row in rows],
        )


_LOAD: Final[dict[str, Callable[[Connection, list[RegionalRow], datetime, bool], None]]] = {
    "raw.regional": _add,
    "raw.regional_forecast": _complete,
}
