"""What the small Chronos-2 model learns from: single series, and windows of all ten series with the
calendar and, in part of them, the outlook as it was known at an issue time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grid_assets.forecasting.boosting.features import Inputs
from grid_assets.forecasting.examples import inputs_at
from grid_assets.forecasting.horizon import FORECAST_STEPS
from grid_assets.forecasting.models.forecaster import CONTEXT, Values
from grid_assets.forecasting.outlook_covariates import outlook_covariates
from grid_assets.forecasting.training_record import Places, Record
from grid_assets.halfhours import Window
from grid_assets.series import INTENSITY, OUTLOOK, SERIES

MOVING: Final = (INTENSITY, "biomass", "imports", "gas", "nuclear", "solar", "wind", "hydro")
"""Series that a model can learn something from alone."""

LATE: Final = (0, 1, 1, 1, 2, 3)
"""Half-hours by which the newest actual of a window is usually late; one of these, at random."""

LATEST: Final = 24
"""In `OFTEN_LATE` of the windows it is late by less than this. So a model meets an outlook that
reaches as far as its forecast, though the day-ahead one never reaches 48 hours from its issue."""

OFTEN_LATE: Final = 0.3

CHUNK: Final = 256
"""Windows that are made at a time."""

HALF_HOURS_OF_ONE_DRAW: Final = 2400
"""A single series is drawn once for each such part of its length."""

SHORTEST: Final = 2000
"""Half-hours below which a series is left out."""


def single_series(record: Record, spans: Sequence[Window]) -> list[tuple[Values, int]]:
    """Each moving series in each span, (half-hours), and how often it is drawn."""
    found = []
    for span in spans:
        for name in MOVING:
            part = slice(record.place(span.start), record.place(span.end))
            values = record.history[SERIES.index(name), part]
            known = np.flatnonzero(~np.isnan(values))
            if len(known) < SHORTEST:
                continue
            values = values[known[0] : known[-1] + 1]
            draws = max(1, round(len(values) / HALF_HOURS_OF_ONE_DRAW))
            found.append((np.ascontiguousarray(values), draws * (4 if name == INTENSITY else 1)))
    return found


def windows(
    record: Record,
    spans: Sequence[Window],
    number: int,
    random: np.random.Generator,
    *,
    with_outlook: bool,
) -> Values:
    """About `number` windows, (windows, rows, context + steps), with rows as in `joint_rows`.

    The ten series go on over the steps ahead, which are to be learned. Every window lies in one
    span. Some lack part of the outlook.
    """
    issues = _draw_issues(record, spans, number, random, with_outlook)
    late = random.choice(LATE, number)
    often = random.random(number) < OFTEN_LATE
    late = np.where(often, random.integers(0, LATEST + 1, number), late)
    parts = []
    for start in range(0, number, CHUNK):
        chunk = slice(start, start + CHUNK)
        inputs, places = inputs_at(record, issues[chunk], late[chunk], FORECAST_STEPS)
        rows: list[npt.NDArray[Any]] = [record.history[:, places].swapaxes(0, 1), inputs.clock]
        if with_outlook:
            rows.append(outlook_covariates(_forget_some(inputs, random)))
        made = np.concatenate(rows, axis=1).astype(np.float32)
        unknown = np.isnan(made[:, 0])
        enough = (unknown[:, :CONTEXT].mean(axis=1) < 0.25) & (
            unknown[:, CONTEXT:].mean(axis=1) < 0.5
        )
        parts.append(made[enough])
    return np.concatenate(parts)


def _draw_issues(
    record: Record,
    spans: Sequence[Window],
    number: int,
    random: np.random.Generator,
    with_outlook: bool,
) -> Places:
    """Issue times; without an outlook, newer spans are drawn more often: the grid has changed."""
    places, weights = [], []
    for span in spans:
        first, end = record.place(span.start), record.place(span.end)
        found = np.arange(first + CONTEXT + LATEST + 2, end - FORECAST_STEPS - 1)
        if with_outlook:
            found = found[record.has_outlook(found)]
        weight = 1.0 if with_outlook or span.start.year < 2021 else 2.0
        if not with_outlook and span.start.year >= 2025:
            weight = 4.0
        places.append(found)
        weights.append(np.full(len(found), weight))
    weight_of_all = np.concatenate(weights)
    chances = weight_of_all / weight_of_all.sum()
    return np.asarray(random.choice(np.concatenate(places), number, p=chances))


def _forget_some(inputs: Inputs, random: np.random.Generator) -> Inputs:
    """The inputs with holes in the outlook, and with levels that are wrong."""
    outlook = inputs.outlook.copy()
    for number in range(len(outlook)):
        draw = random.random()
        if draw < 0.15:  # one series is missing
            outlook[number, random.integers(len(OUTLOOK))] = np.nan
        elif draw < 0.22:  # wind alone is left
            outlook[number, [row for row in range(len(OUTLOOK)) if row != 1]] = np.nan
        if random.random() < 0.12:  # it has been collected for less than a week
            outlook[number, :, : CONTEXT - random.integers(0, CONTEXT)] = np.nan
        if random.random() < 0.12:  # it ends early
            outlook[number, :, CONTEXT + random.integers(2, FORECAST_STEPS) :] = np.nan
        if random.random() < 0.3:
            wrong = random.uniform(0.9, 1.15), random.normal(0, 700)
            outlook[number, 1] = outlook[number, 1] * wrong[0] + wrong[1]
            outlook[number, 0] = outlook[number, 0] * random.uniform(0.95, 1.05)
    return replace(inputs, outlook=outlook)
