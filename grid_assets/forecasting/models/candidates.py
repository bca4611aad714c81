"""The models that `grid evaluate` can measure, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from grid_assets.forecasting.blending.walk import Blend
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
        without = [replace(problem, neso=None, neso_lines=()) for problem in problems]
        return self.forecaster.predict(without, steps)


@dataclass
class Remembering:
    """A model that remembers its last answer, so that what is measured both by itself and as a
    member of a blend forecasts once."""

    forecaster: Forecaster
    _asked: tuple[tuple[Problem, ...], int] | None = None
    _answer: Values | None = None

    @property
    def name(self) -> str:
        """That of the model."""
        return self.forecaster.name

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        """See `Forecaster.predict`."""
        if self._answer is None or not self._is_same(problems, steps):
            self._answer = self.forecaster.predict(problems, steps)
            self._asked = tuple(problems), steps
        return self._answer

    def _is_same(self, problems: Sequence[Problem], steps: int) -> bool:
        if self._asked is None or (len(problems), steps) != (len(self._asked[0]), self._asked[1]):
            return False
        return all(one is other for one, other in zip(problems, self._asked[0], strict=True))


def _blend(use_neso: bool) -> Forecaster:
    return Blend(_checkpoint(registry.SHIPPED_SOURCE, use_neso), GradientBoosting())


def share_members(forecasters: Sequence[Forecaster]) -> list[Forecaster]:
    """The models, with a blend made of those that are measured too: of the first Chronos model, if
    there is one, and of gradient boosting."""
    remembering = [
        each if isinstance(each, Blend | NesoForecast) else Remembering(each)
        for each in forecasters
    ]
    chronos = [each for each in remembering if each.name.startswith("chronos:")]
    trees = [each for each in remembering if each.name == GradientBoosting.name]
    return [
        each.of(*chronos[:1], trees=trees[0] if trees else None)
        if isinstance(each, Blend)
        else each
        for each in remembering
    ]


def _checkpoint(source: str, use_neso: bool) -> Forecaster:
    forecaster = registry.load_exactly(source, HUB_TIMEOUT_S).forecaster
    return forecaster if use_neso else WithoutNeso(forecaster)


Make = Callable[[bool], Forecaster]
"""Makes a model; the argument is the setting GRID_USE_NESO_FORECAST. Raises `ModelUnusable`."""

CANDIDATES: Final[dict[str, Make]] = {
    registry.SHIPPED_SOURCE: partial(_checkpoint, registry.SHIPPED_SOURCE),
    Blend.name: _blend,
    GradientBoosting.name: lambda use_neso: GradientBoosting(),
    SeasonalNaive.name: lambda use_neso: SeasonalNaive(),
    NESO: lambda use_neso: NesoForecast(),
    Persistence.name: lambda use_neso: Persistence(),
}
"""A new model is added here. It gets the problems in order of issue, in several calls, so that it
may learn from the errors of earlier ones: the contexts of later problems have what came true."""

OF_FILES: Final = (
    registry.SHIPPED_SOURCE,
    Blend.name,
    GradientBoosting.name,
    SeasonalNaive.name,
    NESO,
)
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
