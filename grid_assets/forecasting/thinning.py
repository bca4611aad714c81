"""Thinning old forecasts: every lead for a while, chosen leads for ever.

Belongs here: how much at a time, and what must not run beside it. Does not belong here: which rows
go (`forecast.thin_predictions`, sql/migrations), and when (`housekeeping`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from grid_assets.forecasting.scoring import score
from grid_assets.halfhours import DAY, day_start, days_window
from grid_assets.warehouse.connection import Connection, lock_relation, write_transaction
from grid_assets.warehouse.statements import statement

MOST_DAYS: Final = 30
"""Days of target of one call: a setting that was lowered by a year is worked off in two weeks."""


@dataclass(frozen=True, slots=True)
class Thinned:
    """What one call did."""

    days: int = 0
    rows: int = 0
    """Rows deleted: forecasts, and margins of those days."""
    postponed: bool = False
    """Another run is forecasting or scoring such days; the next call goes on."""


def thin(
    connection: Connection,
    keep_days: int,
    leads: Sequence[timedelta],
    now: datetime,
    most_days: int = MOST_DAYS,
) -> Thinned:
    """Thin the oldest days that are older than `keep_days`; each UTC day is one transaction.

    A call that is killed has thinned whole days, and the next one goes on. 0 days means never.
    """
    if keep_days == 0:
        return Thinned()
    before = day_start(now.date() - keep_days * DAY)
    days = rows = 0
    while days < most_days:
        with write_transaction(connection, "forecast.predictions"):
            lock_relation(connection, "forecast.accuracy")
            found = connection.execute(
                statement("forecast/find_day_to_thin"), {"before": before}
            ).fetchone()
            if found is None or found[0] is None:
                break
            day = found[0]
            if _is_being_forecast(connection, day_start(day + DAY)):
                return Thinned(days, rows, postponed=True)
            # The last time that every lead is there: what is scored now is final.
            score(connection, days_window(day, day))
            row = connection.execute(
                "SELECT forecast.thin_predictions(%s, %s)", [day_start(day + DAY), list(leads)]
            ).fetchone()
            assert row is not None
            rows += row[0]
        days += 1
    return Thinned(days, rows)


def _is_being_forecast(connection: Connection, before: datetime) -> bool:
    """Whether a run, such as a back-test, is at work on forecasts of days before an instant."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM ops.etl_runs WHERE status = 'running' "
        "AND asset IN ('forecast.predictions', 'forecast.accuracy') "
        "AND partition_start < (%s AT TIME ZONE 'UTC')::date)",
        [before],
    ).fetchone()
    return row == (True,)
