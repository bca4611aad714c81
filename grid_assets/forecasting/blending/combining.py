"""Combines the forecasts of the members of a blend by its weights. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from grid_assets.forecasting.blending.weights import MEMBERS, OWN, Floats, Mask, Weights
from grid_assets.forecasting.horizon import HORIZON, QUANTILES
from grid_assets.forecasting.models.forecaster import Problem, Values
from grid_assets.series import OUTLOOK

MEDIAN: Final = QUANTILES.index(0.5)
WIND: Final = OUTLOOK.index("wind_mw")

ALIKE: Final = 0.75
"""Correlation of the errors of our two models. The mean of two forecasts errs less than either, and
so needs a narrower band. Measured: 0.71 at 0-3h to 0.84 at 24-48h (docs/decisions/0040)."""


@dataclass(frozen=True, eq=False)
class Forecasts:
    """The members' forecasts of some issues, over the 96 half-hours from the issue on.

    `own` has shape (2, issues, 10, 96, 3): the configured model and the trees. `neso` has shape
    (issues, 96), carbon intensity. NaN where there is no forecast. `reached` (issues, 96) says of
    which half-hours the outlook has wind.
    """

    own: Values
    neso: Values
    reached: Mask


def reached_by_outlook(problem: Problem) -> Mask:
    """Of which of the 96 half-hours from the issue on the outlook has wind."""
    if problem.outlook is None:
        return np.zeros(HORIZON, bool)
    first = problem.context.shape[1] + problem.late_steps
    known: Mask = ~np.isnan(problem.outlook[WIND, first : first + HORIZON])
    return np.pad(known, (0, HORIZON - len(known)))


def combine(forecasts: Forecasts, weights: Weights) -> Values:
    """Quantiles (issues, 10, 96, 3) of the blend.

    Where a member has no forecast, the weights of the others grow. The band is as far from the
    median as the weighted bands of the members that have one, less what their mean errs less.
    """
    own = forecasts.own.astype(np.float64)
    medians = np.full((len(MEMBERS), *own.shape[1:4]), np.nan)
    medians[:OWN] = own[..., MEDIAN]
    medians[OWN:, :, 0] = forecasts.neso
    weight, bias = (
        np.where(forecasts.reached[None, :, None], steps[:, 1][:, None], steps[:, 0][:, None])
        for steps in weights.by_step()
    )
    median = _weighted(medians - bias, weight)
    there = np.isfinite(own[..., MEDIAN])
    share = _shares(there, weight[:OWN])
    narrower = np.sqrt(ALIKE + (1 - ALIKE) * (share**2).sum(axis=0))
    edges = [
        _weighted(own[..., edge] - own[..., MEDIAN], weight[:OWN]) * narrower + median
        for edge in (0, len(QUANTILES) - 1)
    ]
    blended = np.stack([edges[0], median, edges[1]], axis=-1)
    return blended.astype(np.float32)


def _weighted(values: Floats, weight: Floats) -> Floats:
    """The weighted mean over members of the finite values; NaN where there is none."""
    there = np.isfinite(values)
    mean = (np.where(there, values, 0) * _shares(there, weight)).sum(axis=0)
    found: Floats = np.where(there.any(axis=0), mean, np.nan)
    return found


def _shares(there: Mask, weight: Floats) -> Floats:
    """The weights of the members that are there, so that they sum to 1; 0 where none is."""
    usable = np.where(there, weight, 0)
    # all of the weight may belong to members without a forecast
    usable = np.where(usable.sum(axis=0) > 0, usable, there)
    total = usable.sum(axis=0)
    return np.asarray(usable / np.where(total > 0, total, 1))
