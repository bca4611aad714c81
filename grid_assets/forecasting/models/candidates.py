"""The models that `grid evaluate` can measure, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from grid_assets.forecasting.boosting.trees import TREES
from grid_assets.forecasting.evaluation import Persistence
from grid_assets.forecasting.models import registry
from grid_assets.forecasting.models.boosted import GradientBoosting
from grid_assets.forecasting.models.forecaster import Forecaster, Problem, Values
from grid_assets.forecasting.models.naive import SeasonalNaive
from grid_assets.forecasting.models.neso import NesoForecast

HUB_TIMEOUT_S: Final = 60

NESO: Final = NesoForecast.name


@dataclass(frozen=True)
class WithoutNeso:
    """A model that is not shown NESO's forecast."""

    forecaster: Forecaster

    @property
    def name(self) -> str:
        """That of the model."""
        return self.forecaster.name

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        """See `Forecaster.predict`."""
        return self.forecaster.predict([replace(problem, neso=None) for problem in problems], steps)


def _checkpoint(source: str, use_neso: bool) -> Forecaster:
    forecaster = registry.load_exactly(source, HUB_TIMEOUT_S).forecaster
    return forecaster if use_neso else WithoutNeso(forecaster)


Make = Callable[[bool], Forecaster]
"""Makes a model; the argument is the setting GRID_USE_NESO_FORECAST. Raises `ModelUnusable`."""

CANDIDATES: Final[dict[str, Make]] = {
    registry.SHIPPED_SOURCE: partial(_checkpoint, registry.SHIPPED_SOURCE),
    GradientBoosting.name: lambda use_neso: GradientBoosting(),
    SeasonalNaive.name: lambda use_neso: SeasonalNaive(),
    NESO: lambda use_neso: NesoForecast(),
    Persistence.name: lambda use_neso: Persistence(),
}
"""A new model is added here. It gets the problems in order of issue, in several calls, so that it
may learn from the errors of earlier ones: the contexts of later problems have what came true."""

OF_FILES: Final = (registry.SHIPPED_SOURCE, GradientBoosting.name, SeasonalNaive.name, NESO)
"""What is measured on files if no model is named; what cannot run is left out."""

REFERENCES: Final = (Persistence.name, SeasonalNaive.name)
"""What every model is measured beside on the recording."""

OF_SPANS: Final = (registry.SHIPPED_SOURCE, *REFERENCES)


def make(name: str, use_neso: bool) -> Forecaster:
    """The model of this name, or of a folder of trees, or of a checkpoint's folder or hub id.

    Raises `ModelUnusable`.
    """
    if name in CANDIDATES:
        return CANDIDATES[name](use_neso)
    if (Path(name) / TREES).is_file():
        return GradientBoosting(Path(name))
    return _checkpoint(name, use_neso)
