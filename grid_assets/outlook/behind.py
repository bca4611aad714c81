"""The days on which `core` is behind `raw`, for the outlook and for generation by fuel.

A process may die, or a source may fail, after `raw` was loaded and before `core` was published.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from grid_assets.halfhours import days_window
from grid_assets.telemetry.due import Range
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

LOADING: Final = (
    "raw.outlook",
    "raw.elexon_generation",
    "raw.embedded_generation",
    "core.outlook",
    "core.generation_mw",
)
"""While one of these is written for a day, its run will publish the day."""


def days_core_lacks(
    connection: Connection, days: Range, now: datetime, pause: timedelta = timedelta(0)
) -> list[date]:
    """Those of `days` for which `raw` has newer values than `core`.

    Days whose publication failed within `pause` are left out.
    """
    window = days_window(days.first, days.last)
    rows = connection.execute(
        statement("core/find_outlook_days_behind_raw"),
        {
            "start": window.start,
            "end": window.end,
            "now": now,
            "pause": pause,
            "assets": list(LOADING),
        },
    ).fetchall()
    return [day for (day,) in rows]
