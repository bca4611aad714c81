"""The days of the regions that a cycle fetches or publishes, as the tables show them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from grid_assets.halfhours import DAY, day_start, days_window
from grid_assets.telemetry.due import REVISED, Range, last_failed
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

FIRST_DAY: Final = date(2018, 5, 10)
"""The first day of regional values of which a copy is known."""

LOADING: Final = ("raw.regional", "core.regional_intensity", "core.regional_mix")
"""While one of these is written for a day, its run will publish the day."""


def days_due(connection: Connection, history_start: date, now: datetime) -> list[date]:
    """Days before yesterday that lack half-hours of a region or may have been revised, oldest
    first."""
    yesterday = now.date() - DAY
    start = max(history_start, FIRST_DAY)
    if start >= yesterday:
        return []
    rows = connection.execute(
        statement("raw/find_regional_days"),
        {"start": day_start(start), "end": day_start(yesterday), "now": now, "revised": REVISED},
    ).fetchall()
    return [day for (day,) in rows]


def with_regions(days: Range) -> Range | None:
    """The part of `days` of which the API may have regions."""
    return Range(max(days.first, FIRST_DAY), days.last) if days.last >= FIRST_DAY else None


def newest_failed(connection: Connection, today: date) -> bool:
    """Whether the last attempt to fetch the newest days failed: the API refuses or is silent."""
    return last_failed(connection, "raw.regional", today)


def days_core_lacks(
    connection: Connection, days: Range, now: datetime, pause: timedelta = timedelta(0)
) -> list[date]:
    """Those of `days` for which `raw` has newer values of a region than `core`.

    Days whose publication failed within `pause` are left out.
    """
    window = days_window(days.first, days.last)
    rows = connection.execute(
        statement("core/find_regional_days_behind_raw"),
        {
            "start": window.start,
            "end": window.end,
            "now": now,
            "pause": pause,
            "assets": list(LOADING),
        },
    ).fetchall()
    return [day for (day,) in rows]
