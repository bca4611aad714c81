"""Reads what a blend learns from: the past issues of its members and what came true by then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from grid_assets.forecasting.blending.guard import usual_departure
from grid_assets.forecasting.blending.prior import prior_revision, shipped_prior
from grid_assets.forecasting.blending.record import Document, reached_of, rounded, weights_of
from grid_assets.forecasting.blending.weights import (
    BIAS_SPAN,
    MEMBERS,
    NESO,
    OWN,
    SPAN,
    Errors,
    Weights,
    learn,
)
from grid_assets.forecasting.calibration import STRIDE
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.forecasting.models.forecaster import NESO_SPAN, Line, Values
from grid_assets.forecasting.store import PastActuals
from grid_assets.halfhours import DAY, HALF_HOUR, day_start
from grid_assets.series import SERIES
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement


@dataclass(frozen=True, eq=False)
class Learned:
    """What was learned for a UTC day, and NESO's usual distance from our models."""

    weights: Weights
    neso_usual_g: float | None


@dataclass(frozen=True, eq=False)
class Vintages:
    """NESO's forecasts by capture, in order: start of the first half-hour, and values."""

    lines: Sequence[tuple[datetime, datetime, Values]]

    def at(self, captured_at: datetime, start: datetime) -> Values:
        """One forecast over the 96 half-hours from `start`, NaN where it has no value."""
        line = np.full(HORIZON, np.nan, np.float32)
        for captured, starts_at, values in self.lines:
            if captured == captured_at:
                first = round((starts_at - start) / HALF_HOUR)
                skipped, end = max(0, -first), max(0, min(HORIZON - first, len(values)))
                shown = values[skipped:end]
                line[first + skipped : first + skipped + len(shown)] = shown
        line[(line < 0) | (line > 1000)] = np.nan
        return line

    def before(self, at: datetime) -> list[Line]:
        """The forecasts of the day before an issue time, over its half-hours, the newest last."""
        captures = {captured for captured, _, _ in self.lines if at - NESO_SPAN < captured <= at}
        return [(captured, self.at(captured, at)) for captured in sorted(captures)]


def read_vintages(
    connection: Connection, after: datetime, to: datetime, times: Sequence[datetime] = ()
) -> Vintages:
    """Those captured after one instant and by another, or at given times."""
    rows = connection.execute(
        statement("raw/read_neso_vintages"), {"after": after, "to": to, "times": list(times)}
    )
    # a missing half-hour is None, which becomes NaN
    return Vintages([(at, start, np.array(line, np.float32)) for at, start, line in rows])


def learn_for_day(
    connection: Connection,
    day: date,
    own: Mapping[str, Document],
    actuals: PastActuals,
    *,
    again: bool,
) -> Learned:
    """What the errors known at the start of a UTC day say of our members `own`.

    Only errors of the same weights count. It is computed once and then read from the record of the
    day; with `again`, as in a back-test, it is recomputed.
    """
    start = day_start(day)
    if not again:
        row = connection.execute(
            statement("forecast/read_blend_of_day"),
            {"revision": prior_revision(), "start": start, "end": day_start(day + DAY)},
        ).fetchone()
        if row is not None and _own(row[0]) == own:
            return Learned(weights_of(row[0]), row[0]["neso_usual_g"])
    errors = _read_errors(connection, start, own, actuals)
    return Learned(rounded(learn(errors, shipped_prior())), usual_departure(errors.values))


def _own(document: Document) -> Document:
    return {role: info for role, info in document["members"].items() if role in MEMBERS[:OWN]}


def _read_errors(
    connection: Connection, start: datetime, own: Mapping[str, Document], actuals: PastActuals
) -> Errors:
    blends = connection.execute(
        statement("forecast/read_blends"), {"start": start - SPAN, "end": start, "stride": STRIDE}
    ).fetchall()
    times = [row[0] for row in blends]
    values = np.full((OWN + 1, len(times), len(SERIES), HORIZON), np.nan)
    reached = np.zeros((len(times), HORIZON), bool)
    recent = np.array([at >= start - BIAS_SPAN for at in times], bool)
    if not times:
        return Errors(values, reached, recent)
    _read_medians(connection, times, own, values)
    vintages = read_vintages(connection, start, start, [row[1] for row in blends if row[1]])
    for number, (issued_at, captured_at, runs) in enumerate(blends):
        reached[number] = reached_of(runs)
        if captured_at is not None:
            values[NESO, number, 0] = vintages.at(captured_at, issued_at)
    return Errors(values - actuals.of(times), reached, recent)


def _read_medians(
    connection: Connection,
    times: Sequence[datetime],
    own: Mapping[str, Document],
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> None:
    place = {at: number for number, at in enumerate(times)}
    member = {info["model"]: MEMBERS.index(role) for role, info in own.items()}
    rows = connection.execute(
        statement("forecast/read_past_medians"),
        {
            "models": [info["model"] for info in own.values()],
            "revisions": [info["revision"] for info in own.values()],
            "times": list(times),
            "series": len(SERIES),
            "steps": HORIZON,
        },
    )
    for model, issued_at, medians in rows:
        values[member[model], place[issued_at]] = np.array(medians, np.float64) / 10
