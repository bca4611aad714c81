"""Gradient boosting as a model: trees that correct what the day's profile and the outlook say.

The outlook's half-hours and the others have trees of their own. Coal, hydro and other, which move
little, are forecast by seasonal naive.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from grid_assets.forecasting.boosting.features import Inputs, features, inputs_of
from grid_assets.forecasting.boosting.trees import TreeFolder
from grid_assets.forecasting.models.forecaster import ModelUnusable, Problem, Values
from grid_assets.forecasting.models.naive import SeasonalNaive
from grid_assets.series import SERIES

SHIPPED: Final = Path(__file__).parent.parent / "boosting" / "shipped"

AT_ONCE: Final = 64
"""Problems whose features are in memory together: 10 MB for each series."""


class GradientBoosting:
    """The trees of a folder as a model of all ten series."""

    name = "gradient_boosting"

    def __init__(self, folder: Path = SHIPPED) -> None:
        self.trees = TreeFolder(folder)

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        """See `Forecaster.predict`."""
        predicted = SeasonalNaive().predict(problems, steps)
        for start in range(0, len(problems), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            inputs = inputs_of(problems[part], steps)
            for series, values in self._predict(inputs).items():
                predicted[part, SERIES.index(series)] = values
        return predicted

    def _predict(self, inputs: Inputs) -> dict[str, Values]:
        unknown = set(self.trees.series()) - set(SERIES)
        if unknown:
            names = ", ".join(sorted(unknown))
            raise ModelUnusable(f"{self.trees.folder} forecasts {names}: unknown series")
        rows = {series: features(inputs, series) for series in self.trees.series()}
        for found in rows.values():
            if found.names != self.trees.features():
                raise ModelUnusable(
                    f"{self.trees.folder} was trained with other features than this version has. "
                    "Train it again with `grid train --kind trees`."
                )
        flat = {
            series: found.values.reshape(-1, found.values.shape[-1])
            for series, found in rows.items()
        }
        said = self.trees.run(flat)
        steps = inputs.steps
        predicted: dict[str, Values] = {}
        for series, found in rows.items():

            def departure(name: str, series: str = series) -> Values:
                values = said[series][name].reshape(-1, steps)
                return values * self.trees.usual(series, name, steps)

            edges = {}
            for kind, level in (("outlook", found.line), ("any", found.profile)):
                median = level + departure(f"{kind}.p50")
                if f"{kind}.p50.profile" in said[series]:
                    median = (median + found.profile + departure(f"{kind}.p50.profile")) / 2
                width = self.trees.width(series, kind, steps)
                low = np.minimum(level + departure(f"{kind}.p10"), median)
                high = np.maximum(level + departure(f"{kind}.p90"), median)
                edges[kind] = np.stack(
                    [median - width * (median - low), median, median + width * (high - median)], -1
                )
            predicted[series] = np.where(found.covered[..., None], edges["outlook"], edges["any"])
        return predicted
