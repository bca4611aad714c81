"""Comparing forecasts with what happened: the roll-up `forecast.accuracy`.

Belongs here: which scores are made and removed. Does not belong here: what happened
(`forecast.happened`), what an error is and how errors are summed (`sql/forecast`).
"""

from __future__ import annotations

from dataclasses import dataclass

from grid_assets.forecasting.retention import thinned_to
from grid_assets.halfhours import Window, day_start
from grid_assets.series import SERIES
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement


@dataclass(frozen=True, slots=True)
class Scored:
    """Forecasts compared with an actual, and rows of scores that changed."""

    compared: int
    written: int


def score(connection: Connection, window: Window) -> Scored:
    """Score every forecast whose half-hour lies in `window` (whole UTC days), in a transaction.

    Days whose forecasts are thinned keep their scores: what is left of them is a selection.
    """
    first = thinned_to(connection)
    if first is not None and window.start < day_start(first):
        window = Window(min(day_start(first), window.end), window.end)
    # not forecast.models, in which another program need not have written
    models = connection.execute("SELECT DISTINCT model FROM forecast.streams()").fetchall()
    span = {
        "start": window.start,
        "end": window.end,
        "models": [model for (model,) in models],
        "series": list(SERIES),
    }
    # two days of every issue are sorted in memory, not on disk
    connection.execute("SET LOCAL work_mem = '64MB'")
    connection.execute(statement("forecast/stage_accuracy"), span)
    row = connection.execute("SELECT coalesce(sum(n), 0) FROM staged").fetchone()
    assert row is not None
    removed = connection.execute(statement("forecast/drop_obsolete_scores"), span).fetchone()
    assert removed is not None
    written = connection.execute(statement("forecast/publish_accuracy")).rowcount
    return Scored(int(row[0]), int(removed[0]) + written)
