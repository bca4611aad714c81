"""Moves forecasts and NESO's vintages of an earlier version from tables of rows to arrays.

Migration 0012 sets the tables of rows aside, this copies them day by day, and migration 0013 drops
them. The mark of what is copied moves on in the transaction that copies a day, so a migration that
is killed at any moment continues where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from psycopg import sql

from grid_assets.halfhours import DAY, day_start
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

LAST_STEP: Final = "0013_archive_only"
"""The migration that runs when every row is moved."""

SAY_EVERY_S: Final = 5
"""Seconds between two lines of progress."""

MOVES: Final = {
    "raw.neso_forecast": ("raw.unmoved_neso_forecast", "migrate/move_neso_forecasts"),
    "forecast.predictions": ("forecast.unmoved_predictions", "migrate/move_predictions"),
}
"""By relation: the table of rows, and the statement that copies a span of issue times."""


def move_rows(connection: Connection, say: Callable[[str], None]) -> None:
    """Copy what is left of an earlier version's rows; each UTC day of issue is one transaction."""
    if connection.execute("SELECT to_regclass('ops.moving')").fetchone() == (None,):
        return
    marks = connection.execute("SELECT relation FROM ops.moving ORDER BY relation DESC").fetchall()
    for (relation,) in marks:
        _move(connection, relation, say)


def _move(connection: Connection, relation: str, say: Callable[[str], None]) -> None:
    table, copy = MOVES[relation]
    started = said = time.monotonic()
    first = None
    while (span := _unmoved(connection, relation, table)) is not None:
        oldest, newest = span
        if first is None:
            first = oldest
            say(
                f"Moving {relation} to its new table: {oldest:%Y-%m-%d} to {newest:%Y-%m-%d}. If "
                "this is interrupted, migrate again to continue"
            )
        elif time.monotonic() - said >= SAY_EVERY_S:
            said = time.monotonic()
            done = (oldest - first) / max(newest - first, DAY)
            left = (said - started) * (1 - done) / done
            say(f"Moving {relation}: {done:.0%}, at {oldest:%Y-%m-%d}, about {left:.0f} s left")
        day = day_start(oldest.astimezone(UTC).date())
        with connection.transaction():
            # forecast.latest has the newest of these forecasts already
            connection.execute("SET LOCAL grid.is_moving = 'yes'")
            connection.execute("SET LOCAL work_mem = '64MB'")  # a day is sorted in memory
            connection.execute(statement(copy), {"start": day, "end": day + DAY})
            connection.execute(
                "UPDATE ops.moving SET moved_to = %s WHERE relation = %s", [day + DAY, relation]
            )
    if first is not None:
        say(f"Moved {relation} in {time.monotonic() - started:.0f} s")


def _unmoved(connection: Connection, relation: str, table: str) -> tuple[datetime, datetime] | None:
    """The first and the last issue time of the rows that are not copied yet."""
    query = sql.SQL(
        "SELECT min(issued_at), max(issued_at) FROM {} "
        "WHERE issued_at >= (SELECT moved_to FROM ops.moving WHERE relation = %s)"
    ).format(sql.Identifier(*table.split(".")))
    row = connection.execute(query, [relation]).fetchone()
    return None if row is None or row[0] is None else (row[0], row[1])
