"""The features that every series shares: the clock, the mix now, the outlook, and what lines are
fitted to. Pure.

A published forecast may be biased, such as one of wind that could be generated while some is
curtailed. So the outlook enters as changes, and its level after comparison with the last week.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from grid_assets.series import OUTLOOK, SERIES

Floats = npt.NDArray[np.float64]

RECENT: Final = 3
"""Half-hours whose mean is the present: one alone is noisy."""

DAY: Final = 48
"""Half-hours of a day."""

BORROWED: Final = (DAY, 7 * DAY, 2 * DAY, 3 * DAY)
"""How many half-hours earlier demand and sun stand in for unknown ones, in this order."""

ORDINARY_DEMAND: Final = 27_400.0
"""MW that stand in for demand where nothing is known of it: the mean forecast of 2021 to 2024."""

LINES: Final = {
    "simple_line": ("renewables",),
    "line": ("renewables", "demand", "residual"),
    "long_line": ("renewables", "demand", "residual", "solar", "wind"),
}
"""The lines: by name, what of the outlook each is fitted to."""


@dataclass(frozen=True, slots=True)
class Common:
    """Features by name, (n, steps) or (n, 1), and the regressors of each line."""

    expected: Mapping[str, Floats]
    """The outlook over the context and ahead, (n, context + steps): see `_expected`."""
    clock: Mapping[str, Floats]
    mix: Mapping[str, Floats]
    outlook: Mapping[str, Floats]
    regressors: Mapping[str, Regressors]


@dataclass(frozen=True, slots=True)
class Regressors:
    """What a line is fitted to: a column of ones and scaled regressors, (n, half-hours, columns).

    Where any of them is unknown (n, half-hours), all are 0.
    """

    columns: Floats
    unknown: npt.NDArray[np.bool_]


def common_features(context: Floats, outlook: Floats, clock: Floats) -> Common:
    """From the arrays of `features.Inputs`."""
    length = context.shape[2]
    steps = outlook.shape[2] - length
    expected = _expected(context, outlook)
    return Common(
        expected,
        _clock(clock, length, steps),
        _mix(context),
        _outlook(expected, length, steps),
        {
            name: _regressors([expected[each] for each in regressors], length)
            for name, regressors in LINES.items()
        },
    )


def _clock(clock: Floats, length: int, steps: int) -> dict[str, Floats]:
    ahead = slice(length, length + steps)
    table = {
        name: values[:, ahead]
        for name, values in zip(("hour", "weekday", "day_off"), clock.swapaxes(0, 1), strict=True)
    }
    table["day_off_change"] = table["day_off"] - clock[:, 2, length - 1, None]
    return table


def _mix(context: Floats) -> dict[str, Floats]:
    """The mix now, against its week."""
    table = {}
    for fuel in ("biomass", "imports", "gas", "nuclear", "solar", "wind"):
        share = context[:, SERIES.index(fuel)]
        table[f"{fuel}_now"] = mean(share[:, -RECENT:])
        if fuel in ("gas", "imports", "nuclear", "wind"):
            table[f"{fuel}_from_week"] = mean(share[:, -RECENT:]) - mean(share)
    return table


def _outlook(expected: Mapping[str, Floats], length: int, steps: int) -> dict[str, Floats]:
    ahead = slice(length, length + steps)
    table = {}
    for name, values in expected.items():
        table[name] = values[:, ahead]
        table[f"{name}_change"] = values[:, ahead] - mean(values[:, length - RECENT : length])
    for name, distance in (
        ("renewables", 1),
        ("renewables", 4),
        ("renewables", -4),
        ("residual", 1),
        ("residual", -2),
        ("residual", 4),
    ):
        values = expected[name]
        table[f"{name}_{distance:+d}"] = moved(values, length, steps, distance) - values[:, ahead]
    around = np.stack([moved(expected["wind"], length, steps, by) for by in range(-12, 13, 4)])
    table["wind_around"] = mean(around, axis=0, keep=False)
    return table


def _expected(context: Floats, outlook: Floats) -> dict[str, Floats]:
    """The outlook over the context and ahead: demand and residual demand in GW; renewables, wind
    and solar as percent of the demand that all plants serve, embedded ones too."""
    demand, wind, embedded_wind, solar = (
        outlook[:, OUTLOOK.index(name)]
        for name in ("demand_mw", "wind_mw", "embedded_wind_mw", "embedded_solar_mw")
    )
    demand, solar = _borrow(demand), _borrow(solar)
    scale = mean(np.where(np.isnan(wind), np.nan, embedded_wind)) / mean(wind)
    embedded_wind = np.where(np.isnan(embedded_wind), wind * scale, embedded_wind)
    all_wind = wind + np.nan_to_num(embedded_wind)
    ordinary = np.nan_to_num(mean(demand), nan=ORDINARY_DEMAND)
    served = np.where(np.isnan(demand), ordinary, demand)
    served = served + np.nan_to_num(embedded_wind) + np.nan_to_num(solar)
    share = {
        "wind": 100 * all_wind / served,
        "solar": 100 * solar / served,
        "renewables": 100 * (all_wind + np.nan_to_num(solar)) / served,
    }
    # The level by the last week: the expected share against the share that came.
    length = context.shape[2]
    came = context[:, SERIES.index("wind")]
    both = np.where(np.isnan(came), np.nan, share["wind"][:, :length])
    level = mean(np.where(np.isnan(both), np.nan, came)) / mean(both)
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


def _regressors(regressors: Sequence[Floats], length: int) -> Regressors:
    columns = [np.ones_like(regressors[0])]
    for values in regressors:
        past = values[:, :length]
        centre = mean(past)
        scale = np.sqrt(mean((past - centre) ** 2))
        columns.append((values - centre) / np.where(scale > 1e-6, scale, 1.0))
    design = np.stack(columns, axis=-1)
    unknown: npt.NDArray[np.bool_] = np.any(np.isnan(design), axis=-1)
    return Regressors(np.where(unknown[..., None], 0.0, design), unknown)


def mean(values: Floats, axis: int = -1, keep: bool = True) -> Floats:
    return np.asarray(np.nanmean(values, axis=axis, keepdims=keep))


def moved(values: Floats, length: int, steps: int, distance: int) -> Floats:
    """Values at a distance in half-hours from each half-hour ahead, NaN outside the array."""
    places = length + np.arange(steps) + distance
    inside = (places >= 0) & (places < values.shape[1])
    moved = np.full((len(values), steps), np.nan)
    moved[:, inside] = values[:, places[inside]]
    return moved
