"""Issues of the blend: made of what the others forecast, learned from what was known, and explained
where something was left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from pydantic import SecretStr

from grid_assets.forecasting.models.beside import NoForecast
from grid_assets.forecasting.models.forecaster import Problem
from grid_assets.forecasting.models.registry import ModelForecast, ModelInfo
from grid_assets_tests import shared_warehouse
from grid_assets_tests.forecasting import issues
from grid_assets_tests.forecasting.issues import DAY, HOUR, MODEL, Stub, T

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

Rows = Callable[..., list[tuple[Any, ...]]]
BLEND, BOOSTED = "blend", "gradient_boosting"
START = T - 12 * HOUR
"""A midnight: the first issue of the day of `T`."""


@pytest.fixture
def filled(warehouse: SecretStr) -> SecretStr:
    """Telemetry of twenty days that end at `T`."""
    issues.fill(warehouse, T - 20 * DAY, T)
    return warehouse


@dataclass
class Trees:
    """Stands for the trees: the stub's forecast, off by a constant."""

    off: float = 30.0
    revision: str = "t1"

    def __call__(self, problems: Sequence[Problem], steps: int) -> ModelForecast:
        quantiles = Stub(BOOSTED).predict(problems, steps)
        quantiles[:, 0] += self.off
        return ModelForecast(quantiles, ModelInfo(BOOSTED, "shipped", self.revision), None)


def no_trees(problems: Sequence[Problem], steps: int) -> NoForecast:
    info = ModelInfo(BOOSTED, "shipped", "not loaded")
    return NoForecast(info, "The bundled trees cannot be used: the disk is full.")


def every_three_hours(days: int) -> list[datetime]:
    """Issue times of the days before `START`, which ends the last one."""
    return [START - n * 3 * HOUR for n in range(8 * days, 0, -1)]


def record(rows: Rows, at: datetime = T) -> dict[str, Any]:
    """What the blend of an issue says of itself."""
    [(found,)] = rows(
        "SELECT blend FROM forecast.issues WHERE model = %s AND issued_at = %s", BLEND, at
    )
    assert isinstance(found, dict)
    return found


def medians(rows: Rows, model: str, at: datetime = T, series: int = 1) -> list[float]:
    [(found,)] = rows(
        "SELECT p50[%s:%s] FROM forecast.archive WHERE model = %s AND issued_at = %s",
        *(series, series, model, at),
    )
    return [value / 10 for value in found[0]]


def test_an_issue_leaves_a_blend_beside_its_members(filled: SecretStr, rows: Rows) -> None:
    issues.issue(filled, T, boost=Trees())
    assert rows(
        "SELECT model, count(*), count(p10) FROM forecast.predictions GROUP BY 1 ORDER BY 1"
    ) == [(model, 960, 960) for model in (BLEND, MODEL, BOOSTED, "seasonal_naive")]
    assert rows(
        "SELECT DISTINCT sum(p50) FROM forecast.predictions WHERE series <> 'carbon_intensity' "
        "GROUP BY model, period_start"
    ) == [(100,)]
    found = record(rows)
    assert found["issues"] == 0  # the bundled weights
    assert found["members"] == {
        "configured": {"model": MODEL, "revision": "r1"},
        BOOSTED: {"model": BOOSTED, "revision": "t1"},
    }
    assert found["left_out"] == {"neso": "None was captured in the 6 hours before."}
    assert found["reached"] == []
    ours, trees, blend = (medians(rows, model) for model in (MODEL, BOOSTED, BLEND))
    assert all(low < between < high for low, between, high in zip(ours, blend, trees, strict=True))
    assert rows(
        "SELECT count(*) FROM forecast.issues WHERE blend IS NOT NULL AND model <> %s", BLEND
    ) == [(0,)]


def test_the_weights_are_learned_from_errors_known_at_the_start_of_the_day(
    filled: SecretStr, rows: Rows
) -> None:
    issues.issue(filled, *every_three_hours(10), boost=Trees(off=0), backtest=True)
    issues.issue(filled, T, boost=Trees(off=0))
    found = record(rows)
    assert found["issues"] == 80
