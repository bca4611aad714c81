"""The models that `grid evaluate` measures, as they are in operation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from grid_assets.forecasting.models import candidates, registry
from grid_assets.forecasting.models.forecaster import CONTEXT, Problem, Values
from grid_assets.forecasting.models.neso import NesoForecast
from grid_assets.series import SERIES
from grid_assets_tests.forecasting.made_files import START


class Asked:
    """Remembers what it was asked."""

    name = "chronos:asked"

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        self.problems += problems
        return np.zeros((len(problems), len(SERIES), steps, 3), np.float32)


@pytest.mark.parametrize("name", ["shipped", "folder"])
@pytest.mark.parametrize("use_neso", [False, True])
def test_a_checkpoint_sees_the_forecast_of_neso_only_if_the_setting_says_so(
    monkeypatch: pytest.MonkeyPatch, name: str, use_neso: bool
) -> None:
    asked = Asked()
    info = registry.ModelInfo(asked.name, name, "1")
    monkeypatch.setattr(registry, "load_exactly", lambda *_: registry.Loaded(asked, info))
    context = np.ones((len(SERIES), CONTEXT), np.float32)
    outlook = np.ones((4, CONTEXT + 96), np.float32)
    problem = Problem(context, START, np.ones(96, np.float32), outlook)
    made = candidates.make(name, use_neso)
    assert made.name == asked.name
    made.predict([problem], 96)
    [seen] = asked.problems
    assert (seen.neso is not None) == use_neso
    assert seen.outlook is outlook


def test_neso_forecasts_as_far_as_it_was_published() -> None:
    neso = np.array([np.nan, 120, 130], np.float32)
    context = np.ones((len(SERIES), CONTEXT), np.float32)
    problems = [Problem(context, START, neso), Problem(context, START)]
    predicted = NesoForecast().predict(problems, 5)
    np.testing.assert_array_equal(predicted[0, 0, :, 1], [np.nan, 120, 130, np.nan, np.nan])
    assert np.isnan(predicted[..., [0, 2]]).all()
    assert np.isnan(predicted[1]).all()
    assert np.isnan(predicted[0, 1:]).all()
    assert NesoForecast().predict(problems[:1], 2).shape == (1, len(SERIES), 2, 3)
