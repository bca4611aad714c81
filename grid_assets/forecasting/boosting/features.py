"""What gradient boosting is shown of a forecast to make: one row of numbers per half-hour ahead.

Pure, and used alike by training and by operation. A row describes the half-hour by the clock, by
the series' own past, and by the outlook: what wind, sun and demand are expected to be then, by how
much they change until then, and what a line fitted to the last week expects of them.

A published forecast may be biased, such as one of wind that could be generated while some is
curtailed. So the outlook enters as changes, and its level after comparison with the last week.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from grid_assets.forecasting.covariates import calendar
from grid_assets.forecasting.models.forecaster import CONTEXT, Problem, Values
from grid_assets.series import OUTLOOK, SERIES

Floats = npt.NDArray[np.float64]

DAY: Final = 48
"""Half-hours of a day."""

RECENT: Final = 3
"""Half-hours whose mean is the present: one alone is noisy."""

LAGS: Final = (1, 2, 4, 8, 16, 24, 47)
"""Half-hours before the newest one that are shown as distances from it."""

BORROWED: Final = (DAY, 7 * DAY, 2 * DAY, 3 * DAY)
"""How many half-hours earlier demand and sun stand in for unknown ones, in this order."""

ORDINARY_DEMAND: Final = 27_400.0
"""MW that stand in for demand where nothing is known of it: the mean forecast of 2021 to 2024."""

PERSISTENCE: Final = 60.0
"""Half-hours after which a departure from the usual day has fallen to a third, in the profile."""

LINE_PERSISTENCE: Final = 24.0
"""The same for a departure from the line."""

LINE_DAYS: Final = 5.0
"""Days after which a half-hour counts a third as much in the line's fit."""

LINE_NEEDS: Final = 96
"""Half-hours with an actual and an outlook that a line is fitted to at least."""


@dataclass(frozen=True, slots=True)
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
    week, spread = _mean(history), np.sqrt(_mean((history - _mean(history)) ** 2))
    table: dict[str, Floats] = {"step": step}

    # The clock.
    for name, values in zip(
        ("hour", "weekday", "day_off"), inputs.clock.swapaxes(0, 1), strict=True
    ):
        table[name] = values[:, ahead]
    table["day_off_change"] = table["day_off"] - inputs.clock[:, 2, length - 1, None]

    # The series' own past, as distances from its newest value.
    table |= {"week": week, "spread": spread, "from_week": newest - week}
    for lag in LAGS:
        table[f"before_{lag}"] = history[:, -1 - lag, None] - newest
    for name, part in {
        "last_6h": history[:, -12:],
        "last_day": history[:, -DAY:],
        "day_before": history[:, -2 * DAY : -DAY],
    }.items():
        table[name] = _mean(part) - newest
    days = _same_time(history, steps)
    yesterday = _first_known(days)
    usual = _mean(days, axis=0, keep=False)
    table["yesterday"] = yesterday - newest
    table["two_days_before"] = days[1] - newest
    table["week_before"] = days[6] - newest
    table["usual"] = usual - week
    usual_now = _mean(np.stack([history[:, -1 - DAY * day] for day in range(1, 7)]), 0, False)
    kept = np.exp(-(step + 1) / PERSISTENCE)
    profile = usual + (newest - usual_now[:, None]) * kept
    profile = np.where(np.isnan(profile), newest, profile)
    table["profile"] = profile - newest

    # The mix now, against its week.
    for fuel in ("biomass", "imports", "gas", "nuclear", "solar", "wind"):
        share = inputs.context[:, SERIES.index(fuel)]
        table[f"{fuel}_now"] = _mean(share[:, -RECENT:])
        if fuel in ("gas", "imports", "nuclear", "wind"):
            table[f"{fuel}_from_week"] = _mean(share[:, -RECENT:]) - _mean(share)

    # The outlook.
    expected = _expected(inputs)
    for name, values in expected.items():
        table[name] = values[:, ahead]
        table[f"{name}_change"] = values[:, ahead] - _mean(values[:, length - RECENT : length])
    for name, distance in (
        ("renewables", 1),
        ("renewables", 4),
        ("renewables", -4),
        ("residual", 1),
        ("residual", -2),
        ("residual", 4),
    ):
        values = expected[name]
        table[f"{name}_{distance:+d}"] = _moved(values, length, steps, distance) - values[:, ahead]
    around = np.stack([_moved(expected["wind"], length, steps, by) for by in range(-12, 13, 4)])
    table["wind_around"] = _mean(around, axis=0, keep=False)

    # What lines fitted to the week expect, and how wrong they were lately.
    line = np.full_like(profile, np.nan)
    for name, regressors in LINES.items():
        fitted = _fit_line(history, [expected[each] for each in regressors])
        missed = history - fitted[:, :length]
        by_day = _same_time(missed, steps)
        now, by_hour = _mean(missed[:, -4:]), _mean(by_day, axis=0, keep=False)
        table |= {
            f"{name}": fitted[:, ahead] - newest,
            f"{name}_missed_now": now,
            f"{name}_missed_6h": _mean(missed[:, -12:]),
            f"{name}_missed_day": _mean(missed[:, -DAY:]),
            f"{name}_missed_yesterday": _first_known(by_day),
            f"{name}_missed_usually": by_hour,
        }
        if name in ("simple_line", "line"):
            kept = np.exp(-(step + 1) / LINE_PERSISTENCE)
            level = fitted[:, ahead] + now * kept + 0.3 * (1 - kept) * np.nan_to_num(by_hour)
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


LINES: Final = {
    "simple_line": ("renewables",),
    "line": ("renewables", "demand", "residual"),
    "long_line": ("renewables", "demand", "residual", "solar", "wind"),
}
"""The lines: by name, what of the outlook each is fitted to."""


def _expected(inputs: Inputs) -> dict[str, Floats]:
    """The outlook over the context and ahead: demand and residual demand in GW; renewables, wind
    and solar as percent of the demand that all plants serve, embedded ones too."""
    demand, wind, embedded_wind, solar = (
        inputs.outlook[:, OUTLOOK.index(name)]
        for name in ("demand_mw", "wind_mw", "embedded_wind_mw", "embedded_solar_mw")
    )
    demand, solar = _borrow(demand), _borrow(solar)
    scale = _mean(np.where(np.isnan(wind), np.nan, embedded_wind)) / _mean(wind)
    embedded_wind = np.where(np.isnan(embedded_wind), wind * scale, embedded_wind)
    all_wind = wind + np.nan_to_num(embedded_wind)
    ordinary = np.nan_to_num(_mean(demand), nan=ORDINARY_DEMAND)
    served = np.where(np.isnan(demand), ordinary, demand)
    served = served + np.nan_to_num(embedded_wind) + np.nan_to_num(solar)
    share = {
        "wind": 100 * all_wind / served,
        "solar": 100 * solar / served,
        "renewables": 100 * (all_wind + np.nan_to_num(solar)) / served,
    }
    # The level by the last week: the expected share against the share that came.
    length = inputs.context.shape[2]
    came = inputs.context[:, SERIES.index("wind")]
    both = np.where(np.isnan(came), np.nan, share["wind"][:, :length])
    level = _mean(np.where(np.isnan(both), np.nan, came)) / _mean(both)
    level = np.where(np.isfinite(level), np.clip(level, 0.5, 2.0), 1.0)
    wind_share = level * share["wind"]
    return {
        "demand": demand / 1000,
        "residual": (demand - level * wind) / 1000,
        "wind": wind_share,
        "solar": share["solar"],
        "renewables": share["renewables"] + wind_share - share["wind"],
    }


def _borrow(values: Floats) -> Floats:
    """Unknown values taken from the same time on an earlier day."""
    filled = values
    for distance in BORROWED:
        earlier = np.full_like(values, np.nan)
        earlier[:, distance:] = values[:, :-distance]
        filled = np.where(np.isnan(filled), earlier, filled)
    return filled


def _fit_line(history: Floats, regressors: Sequence[Floats]) -> Floats:
    """Least squares of the context on the regressors, recent half-hours weighing more, shrunk
    towards the mean; its values over the context and ahead, NaN where a regressor is unknown."""
    length = history.shape[1]
    week = _mean(history)
    columns = [np.ones_like(regressors[0])]
    for values in regressors:
        past = values[:, :length]
        centre = _mean(past)
        scale = np.sqrt(_mean((past - centre) ** 2))
        columns.append((values - centre) / np.where(scale > 1e-6, scale, 1.0))
    design = np.stack(columns, axis=-1)
    unknown: npt.NDArray[np.bool_] = np.any(np.isnan(design), axis=-1)
    design = np.where(unknown[..., None], 0.0, design)
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


def _mean(values: Floats, axis: int = -1, keep: bool = True) -> Floats:
    return np.asarray(np.nanmean(values, axis=axis, keepdims=keep))


def _newest(history: Floats) -> Floats:
    """The newest known value of each row, (n, 1); NaN if there is none."""
    known: npt.NDArray[np.bool_] = ~np.isnan(history[:, ::-1])
    back = np.argmax(known, axis=1)
    return history[np.arange(len(history)), history.shape[1] - 1 - back][:, None]


def _same_time(history: Floats, steps: int) -> Floats:
    """Values 1, 2, … 7 days before each half-hour ahead: (7, n, steps), NaN where not known."""
    return np.stack([_moved(history, history.shape[1], steps, -DAY * day) for day in range(1, 8)])


def _moved(values: Floats, length: int, steps: int, distance: int) -> Floats:
    """Values at a distance in half-hours from each half-hour ahead, NaN outside the array."""
    places = length + np.arange(steps) + distance
    inside = (places >= 0) & (places < values.shape[1])
    moved = np.full((len(values), steps), np.nan)
    moved[:, inside] = values[:, places[inside]]
    return moved


def _first_known(days: Floats) -> Floats:
    """The newest of the values at the same time of day, NaN if there is none."""
    first = days[0].copy()
    for day in days[1:]:
        first = np.where(np.isnan(first), day, first)
    return first
