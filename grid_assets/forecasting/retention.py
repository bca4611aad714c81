"""Days whose forecasts an earlier version of this project has thinned to chosen leads.

Forecasts are kept for ever now. Thinned days are not forecast again and keep their scores, because
both would be made from a part of the forecasts.
"""

from __future__ import annotations

from datetime import date, datetime

from grid_assets.halfhours import day_start
from grid_assets.warehouse.connection import Connection


class DayIsThinned(ValueError):
    """A forecast was requested for a day whose forecasts are thinned and whose scores are final."""


def thinned_to(connection: Connection) -> date | None:
    """The first UTC day that has every forecast; None where none were ever thinned."""
    row = connection.execute("SELECT thinned_to FROM forecast.thinning").fetchone()
    return row[0] if row else None


def refuse_thinned(connection: Connection, issued_at: datetime) -> None:
    """Raise `DayIsThinned` if forecasts from `issued_at` on would fall on thinned days."""
    first = thinned_to(connection)
    if first is not None and issued_at < day_start(first):
        raise DayIsThinned(
            f"Of the forecasts before {first} an earlier version kept only chosen leads, and "
            f"their scores are final, so {issued_at:%Y-%m-%d} is not forecast again. "
            f"Start at {first} or later."
        )
