"""Calibration of bands from the errors of past issues (split conformal prediction). Pure.

A model trained on little data is overconfident, so its 80 % band holds less than 80 % of actuals.
Conformalised quantile regression (Romano, Patterson and Candes, 2019) measures how far past actuals
were outside the raw band, for each series and lead, and moves both edges by the quantile of those
distances with which the band would have held 80 %.

Errors of neighbouring issues resemble each other, so the issues of a week say less than their
number suggests. Each distance is therefore shrunk towards 0, the model's own band, and the more so
the fewer issues are behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np

from grid_assets.forecasting.models.forecaster import Values

COVERAGE: Final = 0.8
CALIBRATION_SPAN: Final = timedelta(days=28)
"""Age of the issues that count: long enough to be stable, short enough to follow the season."""

STRIDE: Final = timedelta(hours=3)
"""Only issues at this stride count, so that half-hourly and back-tested days weigh the same."""

MIN_ERRORS: Final = 20
"""With fewer past errors at a lead, the model's own band is kept."""

SHRINKAGE: Final = 50
"""Past errors of a lead at which half of the distance counts: n of them give n / (n + 50) of it.

Six days of issues, so a week corrects half of what is wrong and four weeks 82 %. Chosen on the
selection span (`evaluation.CHOOSE`), by walk-forwards that start on every third day: it halves the
harm of the first weeks, at little cost later. `bench.bands` measures it.
"""


@dataclass(frozen=True, slots=True)
class Margins:
    """Margins of one model on one day, shape (10, 96), and the number of issues behind them."""

    values: Values
    issues: int


def compute_margins(low: Values, high: Values, actual: Values) -> Margins:
    """Margins from raw p10, raw p90 and actuals of past issues, each (issues, 10, 96).

    An actual that was not known yet is NaN and is left out.
    """
    shape = low.shape[1:]
    if low.shape[0] < MIN_ERRORS:
        return Margins(np.zeros(shape, np.float32), 0)
    distance = np.sort(np.maximum(low - actual, actual - high), axis=0)  # NaN sorts last
    known = (~np.isnan(distance)).sum(axis=0)
    rank = np.ceil(COVERAGE * (known + 1)).astype(int)
    enough = (known >= MIN_ERRORS) & (rank <= known)
    chosen = np.take_along_axis(distance, np.where(enough, rank - 1, 0)[None], axis=0)[0]
    issues = int(known.max()) if enough.any() else 0
    shrunk = chosen * known / (known + SHRINKAGE)
    return Margins(np.where(enough, shrunk, 0).astype(np.float32), issues)
