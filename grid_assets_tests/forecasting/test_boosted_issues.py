"""Issues of gradient boosting: shown the outlook as it was known, stored beside the configured
model's, and explained if there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from grid_assets.forecasting.models.beside import NoForecast, predict_boosted
from grid_assets.forecasting.models.forecaster import CONTEXT, Problem
from grid_assets.forecasting.models.registry import ModelForecast, ModelInfo
from grid_assets.halfhours import HALF_HOUR
from grid_assets.series import OUTLOOK, SERIES
from grid_assets_tests import shared_warehouse
from grid_assets_tests.forecasting import issues
from grid_assets_tests.forecasting.issues import DAY, HOUR, MODEL, T

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

Rows = Callable[..., list[tuple[Any, ...]]]
BOOSTED = "gradient_boosting"
WIND = OUTLOOK.index("wind_mw")


@pytest.fixture
def filled(warehouse: SecretStr) -> SecretStr:
    issues.fill(warehouse, T - 9 * DAY, T)
    return warehouse


class Watching:
    """Forecasts as the bundled trees do, and remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[Problem] = []

    def __call__(self, problems: Sequence[Problem], steps: int) -> ModelForecast | NoForecast:
        self.shown += problems
        return predict_boosted(problems, steps)


def test_the_outlook_is_shown_as_it_was_known(filled: SecretStr) -> None:
    issues.publish_wind(filled, T - 6 * HOUR, 5000)
    issues.publish_wind(filled, T + timedelta(seconds=1), 9000)
    watching = Watching()
    issues.issue(filled, T, boost=watching)
    [problem] = watching.shown
    assert problem.outlook is not None
    wind = problem.outlook[WIND]
    assert len(wind) == CONTEXT + 112
    first_ahead = T - 6 * HOUR
    end = problem.start + CONTEXT * HALF_HOUR
    assert end <= T
    known = np.flatnonzero(~np.isnan(wind))
    assert problem.start + int(known[0]) * HALF_HOUR == first_ahead
    assert wind[known].min() >= 5000
    assert wind[known].max() < 6000  # nothing of what was published later
    others = np.delete(problem.outlook, WIND, axis=0)
    assert np.isnan(others).all()


def test_without_any_outlook_there_is_none(filled: SecretStr) -> None:
    watching = Watching()
    issues.issue(filled, T, boost=watching)
    assert watching.shown[0].outlook is None


def test_an_issue_leaves_a_forecast_of_the_trees_beside_the_others(
    filled: SecretStr, rows: Rows
) -> None:
    issues.publish_wind(filled, T - 6 * HOUR, 5000)
    issues.issue(filled, T, boost=predict_boosted)
    assert rows(
        "SELECT model, count(*), count(p10), min(period_start) FROM forecast.predictions "
        "GROUP BY 1 ORDER BY 1"
    ) == [(model, 960, 960, T) for model in ("blend", MODEL, BOOSTED, "seasonal_naive")]
    [(source, trained_to)] = rows(
        "SELECT source, trained_to FROM forecast.models WHERE model = %s", BOOSTED
    )
    assert source == "shipped"
    assert trained_to is not None
    assert rows(
        "SELECT DISTINCT sum(p50) FROM forecast.predictions WHERE series <> 'carbon_intensity' "
        "GROUP BY model, period_start"
    ) == [(100,)]


def test_a_backtest_forecasts_as_a_live_issue_did(filled: SecretStr, rows: Rows) -> None:
    issues.publish_wind(filled, T - 6 * HOUR, 5000)
    issues.issue(filled, T, boost=predict_boosted)
    query = (
        "SELECT series, period_start, p10, p50, p90 FROM forecast.predictions "
        "WHERE model = %s AND issued_at = %s ORDER BY 1, 2"
    )
    before = rows(query, BOOSTED, T)
    assert len(before) == 960
    issues.publish_wind(filled, T + HOUR, 12_000)
    issues.issue(filled, T - 3 * HOUR, T, boost=predict_boosted, now=T + DAY, backtest=True)
    assert rows(query, BOOSTED, T) == before


def test_trees_that_cannot_be_used_leave_their_reason(filled: SecretStr, rows: Rows) -> None:
    def broken(problems: Sequence[Problem], steps: int) -> NoForecast:
        info = ModelInfo(BOOSTED, "shipped", "not loaded")
        return NoForecast(info, "The bundled trees cannot be used: the disk is full.")

    done = issues.issue(filled, T, boost=broken)
    assert done.issues == 1
    assert rows("SELECT refused_reason FROM forecast.issues WHERE model = %s", BOOSTED) == [
        ("The bundled trees cannot be used: the disk is full.",)
    ]
    assert rows("SELECT DISTINCT model FROM forecast.predictions ORDER BY 1") == [
        ("blend",),
        (MODEL,),
        ("seasonal_naive",),
    ]


def test_every_series_has_a_place(filled: SecretStr) -> None:
    watching = Watching()
    issues.issue(filled, T, boost=watching)
    forecast = predict_boosted(watching.shown, 112)
    assert isinstance(forecast, ModelForecast)
    assert forecast.quantiles.shape == (1, len(SERIES), 112, 3)
    assert np.isfinite(forecast.quantiles).all()
