"""Compares forecasts with actuals: the roll-ups `forecast.accuracy`, errors by lead, and
`forecast.value`, what a decision by a forecast was worth. Both are defined in `sql/`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date

from grid_assets.halfhours import DAY, HALF_HOUR, Window, day_start
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement


@dataclass(frozen=True, slots=True)
class Scored:
    """Forecasts compared with an actual, and rows of scores and of values that changed."""

    compared: int
    written: int
    valued: int = 0


def score(connection: Connection, window: Window, final_before: date | None) -> Scored:
    """Score every forecast whose half-hour lies in `window` (whole UTC days), in a transaction.

    Days before `final_before` keep their scores, because their forecasts have been thinned.
    """
    if final_before is not None and window.start < day_start(final_before):
        window = Window(min(day_start(final_before), window.end), window.end)
    span = {"start": window.start, "end": window.end}
    # Two days of every issue are sorted in memory, not on disk.
    connection.execute("SET LOCAL work_mem = '64MB'")
    connection.execute(statement("forecast/stage_accuracy"), span)
    row = connection.execute("SELECT coalesce(sum(n), 0) FROM staged").fetchone()
    assert row is not None
    removed = connection.execute(statement("forecast/drop_obsolete_scores"), span).fetchone()
    assert removed is not None
    written = connection.execute(statement("forecast/publish_accuracy")).rowcount
    return Scored(int(row[0]), int(removed[0]) + written, _value(connection, window))


def _value(connection: Connection, window: Window) -> int:
    """Publish the value of forecasts for the window's days of issue; returns the rows written.

    The issues of the day before wait for up to a day, so the actuals of the window count for them.
    """
    return value_days(
        connection,
        window.start.astimezone(UTC).date() - DAY,
        (window.end - HALF_HOUR).astimezone(UTC).date(),
    )


def value_days(connection: Connection, first: date, last: date) -> int:
    """Publish the value of forecasts for UTC days of issue; returns the rows written."""
    days = {"first": first, "last": last}
    return connection.execute(statement("forecast/publish_value"), days).rowcount
