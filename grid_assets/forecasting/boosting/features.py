"""What gradient boosting is shown of a forecast to make: one row of numbers per half-hour ahead.

Pure, and used alike by training and by operation. A row describes the half-hour by the clock, by
the series' own past, and by the outlook: what wind, sun and demand are expected to be then, by how
much they change until then, and what a line fitted to the last week expects of them.

What every series shares is in `common`, and computed once for all of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from grid_assets.forecasting.boosting.common import (
    DAY,
    Common,
    Floats,
    Regressors,
    common_features,
    mean,
    moved,
)
from grid_assets.forecasting.covariates import calendar
from grid_assets.forecasting.models.forecaster import CONTEXT, Problem, Values
from grid_assets.series import OUTLOOK, SERIES

LAGS: Final = (1, 2, 4, 8, 16, 24, 47)
"""Half-hours before the newest one that are shown as distances from it."""

PERSISTENCE: Final = 60.0
"""Half-hours after which a departure from the usual day has fallen to a third, in the profile."""

LINE_PERSISTENCE: Final = 24.0
"""The same for a departure from the line."""

LINE_DAYS: Final = 5.0
"""Days after which a half-hour counts a third as much in the line's fit."""

LEVEL_LINES: Final = ("simple_line", "line")
"""The lines that give the level, the better one last: it counts where it could be fitted."""

LINE_NEEDS: Final = 96
"""Half-hours with an actual and an outlook that a line is fitted to at least."""


@dataclass(frozen=True)
class Inputs:
    """Problems as arrays. `n` problems, a context of `CONTEXT` half-hours, `steps` ahead."""

    context: Floats
    """(n, 10, context), rows in the order of `SERIES`."""
    outlook: Floats
    """(n, 4, context + steps), rows in the order of `OUTLOOK`; NaN where unknown."""
    clock: Floats
    """(n, 3, context + steps), rows in the order of `CALENDAR`."""

    @property
    def steps(self) -> int:
        return self.outlook.shape[2] - self.context.shape[2]

    @cached_property
    def common(self) -> Common:
        return common_features(self.context, self.outlook, self.clock)


@dataclass(frozen=True, slots=True)
class Rows:
    """Features of every half-hour ahead, and the two levels that trees learn to correct."""

    values: Values
    """(n, steps, features), in the order of `names`."""
    names: tuple[str, ...]
    profile: Values
    """(n, steps): the usual day, and what is left of today's departure from it."""
    line: Values
    """(n, steps): the level by the outlook; the profile where there is none."""
    covered: npt.NDArray[np.bool_]
    """(n, steps): whether the outlook tells of wind and the line could be fitted."""


def inputs_of(problems: Sequence[Problem], steps: int) -> Inputs:
    """The arrays of problems; a context that is shorter is filled up with NaN in front."""
    contexts, outlooks, clocks = [], [], []
    for problem in problems:
        length = problem.context.shape[1]
        clocks.append(_fit(calendar(problem.start, length + steps), CONTEXT + steps))
        contexts.append(_fit(problem.context, CONTEXT))
        outlook = np.full((len(OUTLOOK), CONTEXT + steps), np.nan)
        if problem.outlook is not None:
            known = _fit(problem.outlook[:, : length + steps], CONTEXT + steps, length + steps)
            outlook[:] = known
        outlooks.append(outlook)
    return Inputs(np.stack(contexts), np.stack(outlooks), np.stack(clocks))


def _fit(rows: Values, wanted: int, length: int | None = None) -> Floats:
    """Rows cut or filled up in front to `wanted` columns; short ones also behind to `length`."""
    fitted = np.full((len(rows), length or rows.shape[1]), np.nan)
    fitted[:, : rows.shape[1]] = rows
    filled = np.full((len(rows), wanted), np.nan)
    kept = min(wanted, fitted.shape[1])
    filled[:, wanted - kept :] = fitted[:, fitted.shape[1] - kept :]
    return filled


def features(inputs: Inputs, series: str) -> Rows:
    """The features of one series at each of the half-hours ahead."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing is NaN, as it should
        return _features(inputs, SERIES.index(series))


def _features(inputs: Inputs, row: int) -> Rows:
    history, steps = inputs.context[:, row], inputs.steps
    length = history.shape[1]
    ahead = slice(length, length + steps)
    step = np.broadcast_to(np.arange(steps, dtype=float), (len(history), steps))
    newest = _newest(history)
    week, spread = mean(history), np.sqrt(mean((history - mean(history)) ** 2))
    common = inputs.common
    table: dict[str, Floats] = {"step": step, **common.clock}

    # The series' own past, as distances from its newest value.
    table |= {"week": week, "spread": spread, "from_week": newest - week}
    for lag in LAGS:
        table[f"before_{lag}"] = history[:, -1 - lag, None] - newest
    for name, part in {
        "last_6h": history[:, -12:],
        "last_day": history[:, -DAY:],
        "day_before": history[:, -2 * DAY : -DAY],
    }.items():
        table[name] = mean(part) - newest
    days = _same_time(history, steps)
    yesterday = _first_known(days)
    usual = mean(days, axis=0, keep=False)
    table["yesterday"] = yesterday - newest
    table["two_days_before"] = days[1] - newest
    table["week_before"] = days[6] - newest
    table["usual"] = usual - week
    usual_now = mean(np.stack([history[:, -1 - DAY * day] for day in range(1, 7)]), 0, False)
    kept = np.exp(-(step + 1) / PERSISTENCE)
    profile = usual + (newest - usual_now[:, None]) * kept
    profile = np.where(np.isnan(profile), newest, profile)
    table["profile"] = profile - newest

    table |= common.mix
    table |= common.outlook

    # What lines fitted to the week expect, and how wrong they were lately.
    line = np.full_like(profile, np.nan)
    for name, regressors in common.regressors.items():
        fitted = _fit_line(history, regressors)
        missed = history - fitted[:, :length]
        by_day = _same_time(missed, steps)
        now, by_hour = mean(missed[:, -4:]), mean(by_day, axis=0, keep=False)
        table |= {
            f"{name}": fitted[:, ahead] - newest,
            f"{name}_missed_now": now,
            f"{name}_missed_6h": mean(missed[:, -12:]),
            f"{name}_missed_day": mean(missed[:, -DAY:]),
            f"{name}_missed_yesterday": _first_known(by_day),
            f"{name}_missed_usually": by_hour,
        }
        if name in LEVEL_LINES:
            level = fitted[:, ahead] + _still_missed(now, by_hour)
            line = np.where(np.isnan(level), line, level)
    wind = inputs.outlook[:, OUTLOOK.index("wind_mw"), ahead]
    covered: npt.NDArray[np.bool_] = ~(np.isnan(line) | np.isnan(wind))
    shape = profile.shape
    stacked = np.stack([np.broadcast_to(values, shape) for values in table.values()], axis=-1)
    return Rows(
        stacked.astype(np.float32),
        tuple(table),
        profile.astype(np.float32),
        np.where(covered, line, profile).astype(np.float32),
        covered,
    )


def expected_by_lines(inputs: Inputs, series: str) -> tuple[Floats, Floats]:
    """What a line fitted to the week expects: over the context and ahead, (n, context + steps), and
    ahead with what is left of its newest errors, (n, steps). NaN where the outlook is unknown."""
    history, steps = inputs.context[:, SERIES.index(series)], inputs.steps
    length = history.shape[1]
    expected = np.full((len(history), length + steps), np.nan)
    level = expected[:, length:].copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # as in `features`
        for name in LEVEL_LINES:
            fitted = _fit_line(history, inputs.common.regressors[name])
            missed = history - fitted[:, :length]
            by_hour = mean(_same_time(missed, steps), axis=0, keep=False)
            corrected = fitted[:, length:] + _still_missed(mean(missed[:, -4:]), by_hour)
            expected = np.where(np.isnan(fitted), expected, fitted)
            level = np.where(np.isnan(corrected), level, corrected)
    return expected, level


def _still_missed(now: Floats, by_hour: Floats) -> Floats:
    """What a line will miss: what it misses now, fading, then part of what it usually misses."""
    kept = np.exp(-(np.arange(by_hour.shape[1]) + 1) / LINE_PERSISTENCE)
    return now * kept + 0.3 * (1 - kept) * np.nan_to_num(by_hour)


def _fit_line(history: Floats, regressors: Regressors) -> Floats:
    """Least squares of the context on the regressors, recent half-hours weighing more, shrunk
    towards the mean; its values over the context and ahead, NaN where a regressor is unknown."""
    length = history.shape[1]
    week = mean(history)
    design, unknown = regressors.columns, regressors.unknown
    usable = ~np.isnan(history) & ~unknown[:, :length]
    age = np.arange(length - 1, -1, -1) / DAY
    weight = usable * np.exp(-age / LINE_DAYS)
    weighted = design[:, :length] * weight[..., None]
    gram = np.einsum("nik,nij->nkj", weighted, design[:, :length])
    ridge = 0.02 * np.maximum(weight.sum(axis=1), 1.0)
    gram += ridge[:, None, None] * np.eye(design.shape[2])
    right = np.einsum("nik,ni->nk", weighted, np.nan_to_num(history - week))
    slopes = np.linalg.solve(gram, right[..., None])[..., 0]
    fitted = np.einsum("nik,nk->ni", design, slopes) + week
    fitted[unknown] = np.nan
    fitted[usable.sum(axis=1) < LINE_NEEDS] = np.nan
    return fitted


def _newest(history: Floats) -> Floats:
    """The newest known value of each row, (n, 1); NaN if there is none."""
    known: npt.NDArray[np.bool_] = ~np.isnan(history[:, ::-1])
    back = np.argmax(known, axis=1)
    return history[np.arange(len(history)), history.shape[1] - 1 - back][:, None]


def _same_time(history: Floats, steps: int) -> Floats:
    """Values 1, 2, … 7 days before each half-hour ahead: (7, n, steps), NaN where not known."""
    return np.stack([moved(history, history.shape[1], steps, -DAY * day) for day in range(1, 8)])


def _first_known(days: Floats) -> Floats:
    """The newest of the values at the same time of day, NaN if there is none."""
    first = days[0].copy()
    for day in days[1:]:
        first = np.where(np.isnan(first), day, first)
    return first
