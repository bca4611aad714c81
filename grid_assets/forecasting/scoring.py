"""Compares forecasts with actuals, and writes and removes rows of the roll-up `forecast.accuracy`.
Errors and their sums are defined in `sql/`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from grid_assets.halfhours import Window, day_start
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement


@dataclass(frozen=True, slots=True)
class Scored:
    """Forecasts compared with an actual, and rows of scores that changed."""

    compared: int
    written: int


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
    return Scored(int(row[0]), int(removed[0]) + written)
