"""The outlook as covariates of a Chronos-2 model: known over the context and, as far as published,
over the forecast. Pure: the same rows in training and in operation."""

from __future__ import annotations

import warnings
from typing import Final

import numpy as np

from grid_assets.forecasting.boosting.features import Inputs, expected_by_lines
from grid_assets.forecasting.models.forecaster import Values
from grid_assets.series import INTENSITY, SERIES

EXPECTED: Final = ("demand", "residual", "wind", "solar", "renewables")
"""What the outlook expects, as gradient boosting is shown it: GW, GW and percent."""

OUTLOOK_COVARIATES: Final = (*EXPECTED, "line", "level")
"""Names of the rows. `line` is the carbon intensity that a line fitted to the context expects. The
context of `level` is the measured intensity, and its future the line with what is left of its
newest errors: Chronos-2 scales it as it scales the intensity to forecast."""


def outlook_covariates(inputs: Inputs) -> Values:
    """Rows of problems, (n, 7, context + steps), in the order of `OUTLOOK_COVARIATES`.

    NaN where the outlook, or what a row is made from, is unknown.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing is NaN, as it should
        expected = inputs.common.expected
    line, level = expected_by_lines(inputs, INTENSITY)
    measured = inputs.context[:, SERIES.index(INTENSITY)]
    rows = [expected[name] for name in EXPECTED]
    return np.stack([*rows, line, np.hstack([measured, level])], axis=1).astype(np.float32)
