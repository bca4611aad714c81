"""NESO's own forecast of carbon intensity as a model, to measure others by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grid_assets.forecasting.horizon import QUANTILES
from grid_assets.forecasting.models.forecaster import Problem, Values
from grid_assets.series import INTENSITY, SERIES


class NesoForecast:
    """The newest published value for each half-hour, without a band; NaN where there is none."""

    name = "neso"

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        """See `Forecaster.predict`."""
        predicted = np.full((len(problems), len(SERIES), steps, len(QUANTILES)), np.nan, np.float32)
        median = predicted[:, SERIES.index(INTENSITY), :, QUANTILES.index(0.5)]
        for number, problem in enumerate(problems):
            if problem.neso is not None:
                median[number, : len(problem.neso)] = problem.neso[:steps]
        return predicted
