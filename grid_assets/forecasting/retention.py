"""Retention of forecasts: every lead of recent days, chosen leads of old ones.

Thinned days are not forecast again and keep their scores. The SQL function
`forecast.thin_predictions` decides which rows are deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from grid_assets.forecasting.scoring import score
from grid_assets.halfhours import DAY, day_start, days_window
from grid_assets.warehouse.connection import Connection, lock_relation, write_transaction
from grid_assets.warehouse.statements import statement

MAX_DAYS: Final = 30
"""Target days per call: after the setting is lowered by a year, two weeks of calls catch up."""


class DayIsThinned(ValueError):
    """A forecast was requested for a day whose forecasts are thinned and whose scores are final."""


@dataclass(frozen=True, slots=True)
class Thinned:
    """The outcome of one call."""

    days: int = 0
    rows: int = 0
    """Rows deleted: forecasts, and margins of those days."""
    postponed: bool = False
    """Another run is forecasting or scoring such days; the next call continues."""


def thinned_to(connection: Connection) -> date | None:
    """The first UTC day that has every forecast; None until forecasts are first thinned."""
    row = connection.execute("SELECT thinned_to FROM forecast.thinning").fetchone()
    return row[0] if row else None


def refuse_thinned(connection: Connection, issued_at: datetime) -> None:
    """Raise `DayIsThinned` if forecasts from `issued_at` on would fall on thinned days."""
    first = thinned_to(connection)
    if first is not None and issued_at < day_start(first):
        raise DayIsThinned(
            f"Of the forecasts before {first} only chosen leads are kept (GRID_FORECAST_KEEP_DAYS) "
            f"and their scores are final, so {issued_at:%Y-%m-%d} is not forecast again. "
            f"Start at {first} or later."
        )


def thin(
    connection: Connection,
    keep_days: int,
    leads: Sequence[timedelta],
    now: datetime,
    max_days: int = MAX_DAYS,
) -> Thinned:
    """Thin the oldest days that are older than `keep_days`; each UTC day is one transaction.

    A call that is killed has thinned whole days, and the next one continues. 0 days means never.
    """
    if keep_days == 0:
        return Thinned()
    before = day_start(now.date() - keep_days * DAY)
    days = rows = 0
    while days < max_days:
        with write_transaction(connection, "forecast.predictions"):
            lock_relation(connection, "forecast.accuracy")
            oldest = connection.execute(
                statement("forecast/find_day_to_thin"), {"before": before}
            ).fetchone()
            if oldest is None or oldest[0] is None:
                break
            day = oldest[0]
            if _is_being_forecast(connection, day_start(day + DAY)):
                return Thinned(days, rows, postponed=True)
            # The last moment at which this day has every lead: these scores are final.
            score(connection, days_window(day, day), final_before=None)
            deleted = connection.execute(
                "SELECT forecast.thin_predictions(%s, %s)", [day_start(day + DAY), list(leads)]
            ).fetchone()
            assert deleted is not None
            rows += deleted[0]
        days += 1
    return Thinned(days, rows)


def _is_being_forecast(connection: Connection, before: datetime) -> bool:
    """Whether a run, such as a back-test, is forecasting days before an instant."""
    row = connection.execute(statement("ops/is_forecasting_before"), {"before": before}).fetchone()
    return row == (True,)
