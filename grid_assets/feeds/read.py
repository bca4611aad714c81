"""Reads what the feeds hold, in one transaction and from `reporting` only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg.rows import dict_row

from grid_assets.halfhours import floor
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

HOURS: Final = (1, 2, 3, 4, 6)
"""Lengths of the greenest windows."""

WITHIN: Final = timedelta(hours=24)
"""The windows end at most this long after the next half-hour begins."""

DAYS: Final = 30
"""Days of targets that the errors are from."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """The rows behind the feeds; `first` is the half-hour that has begun, where forecasts start."""

    now: datetime
    first: datetime
    newest: Row
    forecast: Sequence[Row]
    greenest: Sequence[Row]
    accuracy: Sequence[Row]
    regional_now: Sequence[Row]
    """One row for each region, or none if regions are not captured."""
    regional_forecast: Sequence[Row]
    regional_accuracy: Sequence[Row]

    @property
    def count(self) -> int:
        """The number of rows read."""
        lists = (self.forecast, self.greenest, self.accuracy, self.regional_now)
        return 1 + sum(map(len, (*lists, self.regional_forecast, self.regional_accuracy)))


def read(connection: Connection, now: datetime, *, regions: bool = True) -> Found:
    """What the feeds of `now` hold, from one snapshot.

    The lists of regions are empty without `regions`, and where none was published in two days.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return read_in(connection, now, regions=regions)


def read_in(connection: Connection, now: datetime, *, regions: bool = True) -> Found:
    """The same, in the caller's transaction."""
    first = floor(now)
    values = {
        "now": now,
        "first": first,
        "today": now.date(),
        "days": DAYS,
        "hours": list(HOURS),
        "within": WITHIN,
    }

    def rows(name: str, **more: Any) -> list[dict[str, Any]]:
        with connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(statement(f"feeds/{name}"), {**values, **more}).fetchall()

    # why a region has no window would be a notice for each of them
    connection.execute("SET LOCAL client_min_messages = warning")
    [newest] = rows("now")
    regional_now = rows("regional_now") if regions else []
    if all(row["period_start"] is None for row in regional_now):
        regional_now = []
    some = [row["region_id"] for row in regional_now]
    return Found(
        now,
        first,
        newest,
        rows("forecast"),
        rows("greenest", regions=some, first=first + timedelta(minutes=30)),
        rows("accuracy"),
        regional_now,
        rows("regional_forecast") if some else [],
        rows("regional_accuracy") if some else [],
    )
