"""Which days still have every forecast: those before a mark hold chosen leads only.

Belongs here: reading the mark, and refusing what needs all leads. Does not belong here: moving it
(`thinning`).
"""

from __future__ import annotations

from datetime import date, datetime

from grid_assets.halfhours import day_start
from grid_assets.warehouse.connection import Connection


class DayIsThinned(ValueError):
    """A forecast was asked for on a day whose forecasts are thinned and whose scores are final."""


def thinned_to(connection: Connection) -> date | None:
    """The first UTC day that has every forecast; None while nothing was ever thinned."""
    row = connection.execute("SELECT thinned_to FROM forecast.thinning").fetchone()
    return row[0] if row else None


def refuse_thinned(connection: Connection, issued_at: datetime) -> None:
    """Raise `DayIsThinned` where forecasts from `issued_at` on would land on thinned days."""
    first = thinned_to(connection)
    if first is not None and issued_at < day_start(first):
        raise DayIsThinned(
            f"Of the forecasts before {first} only chosen leads are kept (GRID_FORECAST_KEEP_DAYS) "
            f"and their scores are final, so {issued_at:%Y-%m-%d} is not forecast again. "
            f"Start at {first} or later."
        )
