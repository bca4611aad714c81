"""How far a band is widened or narrowed, from the errors of past issues (split conformal). Pure.

Belongs here: margins from past quantiles and what happened. Does not belong here: storing them.

A model that has seen little is too sure of itself, so its 80 % band holds less than 80 % of what
happens. Conformalised quantile regression (Romano, Patterson and Candes, 2019) measures by how much
past actuals left the raw band, for each series and lead, and moves both edges by the quantile of
those distances that would have made the band hold 80 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np

from grid_assets.forecasting.models.forecaster import Values

COVERAGE: Final = 0.8
CALIBRATED_ON: Final = timedelta(days=28)
"""Issues this far back count: long enough to be steady, short enough to follow the season."""

STRIDE: Final = timedelta(hours=3)
"""Issues at these hours count, so that half-hourly and back-tested days weigh the same."""

FEWEST: Final = 20
"""Past errors of one lead below which a band is left as the model gave it."""


@dataclass(frozen=True, slots=True)
class Margins:
    """Margins of one model on one day of issue: shape (10, 96), and how many issues gave them."""

    values: Values
    issues: int


def margins(low: Values, high: Values, actual: Values) -> Margins:
    """Margins from raw p10, raw p90 and actuals of past issues, each (issues, 10, 96).

    An actual that was not known yet is NaN and does not count.
    """
    shape = low.shape[1:]
    if low.shape[0] < FEWEST:
        return Margins(np.zeros(shape, np.float32), 0)
    distance = np.sort(np.maximum(low - actual, actual - high), axis=0)  # NaN sorts last
    known = (~np.isnan(distance)).sum(axis=0)
    rank = np.ceil(COVERAGE * (known + 1)).astype(int)
    enough = (known >= FEWEST) & (rank <= known)
    chosen = np.take_along_axis(distance, np.where(enough, rank - 1, 0)[None], axis=0)[0]
    used = int(known.max()) if enough.any() else 0
    return Margins(np.where(enough, chosen, 0).astype(np.float32), used)
