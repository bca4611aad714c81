"""Issues of the blend: made of what others forecast, by weights from what was known, and explained
where something was left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from grid_assets.forecasting.bands import finalise
from grid_assets.forecasting.blending import prior
from grid_assets.forecasting.blending.prior import shipped_prior
from grid_assets.forecasting.blending.record import weights_of
from grid_assets.forecasting.blending.walk import Blend
from grid_assets.forecasting.blending.weights import TREES
from grid_assets.forecasting.history_files import NESO_SERIES, read_outlook
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.forecasting.models import registry
from grid_assets.forecasting.models.beside import NoForecast
from grid_assets.forecasting.models.forecaster import Problem, Values
from grid_assets.forecasting.models.registry import ModelForecast, ModelInfo
from grid_assets.halfhours import HALF_HOUR, api_time
from grid_assets_tests import shared_warehouse
from grid_assets_tests.forecasting import issues
from grid_assets_tests.forecasting.issues import DAY, HOUR, MODEL, Broken, Stub, T

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

Rows = Callable[..., list[tuple[Any, ...]]]
BLEND, BOOSTED = "blend", "gradient_boosting"
START = T - 12 * HOUR
"""A midnight: the first issue of the day of `T`."""
NONE_CAPTURED = "None that is not simulated was captured in the 6 hours before."


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


@dataclass
class Boosted:
    """The same as a model of `grid evaluate`."""

    trees: Trees
    name: str = BOOSTED

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        return self.trees(problems, steps).quantiles


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


def bands(rows: Rows, at: datetime, series: str) -> list[tuple[float, float]]:
    """p10 and p90 of the blend, half-hour by half-hour."""
    return rows(
        "SELECT p10::float, p90::float FROM forecast.predictions WHERE model = %s "
        "AND issued_at = %s AND series = %s ORDER BY period_start",
        *(BLEND, at, series),
    )


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
    assert found["left_out"] == {"neso": NONE_CAPTURED}
    assert found["reached"] == []
    ours, trees, blend = (medians(rows, model) for model in (MODEL, BOOSTED, BLEND))
    assert all(low < between < high for low, between, high in zip(ours, blend, trees, strict=True))
    assert rows(
        "SELECT count(*) FROM forecast.issues WHERE blend IS NOT NULL AND model <> %s", BLEND
    ) == [(0,)]


def test_the_weights_are_learned_from_errors_known_at_the_start_of_the_day(
    filled: SecretStr, rows: Rows
) -> None:
    issues.issue(filled, *every_three_hours(10), boost=Trees(), backtest=True)
    issues.issue(filled, T, boost=Trees())
    found = record(rows)
    assert found["issues"] == 80
    bias = found["biases"]["carbon_intensity"]["history"]
    assert min(bias[BOOSTED]) > 15  # of 30 g
    assert "configured" not in bias or max(map(abs, bias["configured"])) < 10
    at_start = [
        found["issues"]
        for (found,) in rows(
            "SELECT blend FROM forecast.issues WHERE model = %s AND issued_at < %s "
            "ORDER BY issued_at",
            *(BLEND, START),
        )
    ]
    assert at_start == [8 * day for day in range(10) for _ in range(8)]


def test_operation_and_grid_evaluate_blend_alike(
    filled: SecretStr, rows: Rows, tmp_path: Path
) -> None:
    """The same issues in a warehouse and as problems of files: the same weights, and, but for the
    rounding of what is stored, the same forecasts.

    NESO's forecast is captured every nine hours, so that it is too old for every third issue. A
    bogus one is the newest at three issues. The outlook is published once a day, from the fourth
    day on, and ends before the forecast does.
    """
    stub, trees = Stub(), Trees()
    times = [*every_three_hours(10), START, START + 3 * HOUR]
    for day in range(7):
        issues.publish_wind(filled, START - day * DAY - 4 * HOUR, 5000, 40)
    captures = [times[0] + n * 9 * HOUR - HALF_HOUR for n in range(27)]
    file = tmp_path / "outlook.csv"
    with file.open("w") as text:
        text.write("issued_at_utc,period_start_utc,series,value\n")
        for number, at in enumerate(captures):
            starts = [at + (1 + n) * HALF_HOUR for n in range(96)]
            wrong = 3 if number == 18 else 1
            values = [wrong * (issues.intensity_of(start) + 9) for start in starts]
            issues.put_neso(filled, at, starts[0], values)
            for start, value in zip(starts, values, strict=True):
                text.write(f"{api_time(at)},{api_time(start)},{NESO_SERIES},{value}\n")

    issues.issue(filled, *times, model=stub, boost=trees, backtest=True)
    outlook = read_outlook(file)
    asked = [
        replace(problem, neso_lines=outlook.neso_lines(problem.issued_at)) for problem in stub.asked
    ]
    blend = Blend(Stub(), Boosted(trees))
    predicted = blend.predict(asked, 112)[:, :, :HORIZON]

    found = [record(rows, at) for at in times]
    assert sum("neso" in each["members"] for each in found) > 40
    assert sum(each["left_out"].get("neso") == NONE_CAPTURED for each in found) > 20
    assert sum("beyond anything usual" in each["left_out"].get("neso", "") for each in found) == 2
    assert 30 < sum(each["reached"] != [] for each in found) < 70
    of_outlook = [each["weights"]["carbon_intensity"]["outlook"] for each in found]
    assert of_outlook[-1] != of_outlook[0]  # both regimes are learned
    learned = weights_of(found[-1])
    np.testing.assert_allclose(blend._weights.weights, learned.weights, atol=0.01)
    np.testing.assert_allclose(blend._weights.biases, learned.biases, atol=0.1)
    stored = rows("SELECT p50 FROM forecast.archive WHERE model = %s ORDER BY issued_at", BLEND)
    lines = finalise(predicted, np.zeros((1, 10, HORIZON), np.float32))[..., 1]
    np.testing.assert_allclose(np.array([p50 for (p50,) in stored]) / 10, lines / 10, atol=0.25)
    for number in (0, 40, len(times) - 1):
        edges = predicted[number, 0, :, [0, 2]].T
        np.testing.assert_allclose(bands(rows, times[number], "carbon_intensity"), edges, atol=0.25)


def test_the_weights_of_a_day_are_kept_while_the_members_are_the_same(
    filled: SecretStr, rows: Rows
) -> None:
    issues.issue(filled, *every_three_hours(3), boost=Trees(), backtest=True)
    issues.issue(filled, START, boost=Trees())
    # were they learned again, they would be others
    rows(
        "UPDATE raw.intensity SET actual_gco2_kwh = 900 "
        "WHERE period_start >= %s AND period_start < %s RETURNING 1",
        *(T - 3 * DAY, START),
    )
    issues.issue(filled, T, boost=Trees())
    assert record(rows)["weights"] == record(rows, START)["weights"]
    issues.issue(filled, T, boost=Trees(revision="t2"), now=issues.LATER + HOUR)
    retrained = record(rows)
    assert retrained["members"][BOOSTED]["revision"] == "t2"
    assert retrained["weights"] != record(rows, START)["weights"]
    assert BOOSTED not in retrained["biases"].get("carbon_intensity", {}).get("history", {})


def test_a_repeated_issue_changes_nothing(filled: SecretStr) -> None:
    issues.issue(filled, *every_three_hours(3), boost=Trees(), backtest=True)
    assert issues.issue(filled, T, boost=Trees()).rows_written == 4 * 960
    assert issues.issue(filled, T, boost=Trees()).rows_written == 0


def test_a_backtest_blends_as_a_live_issue_did_whatever_came_later(
    filled: SecretStr, rows: Rows
) -> None:
    issues.issue(filled, *every_three_hours(4), boost=Trees(), backtest=True)
    issues.put_neso(filled, T - HOUR, T - HOUR, [210] * 96)
    issues.issue(filled, T, boost=Trees())
    query = (
        "SELECT series, period_start, p10, p50, p90 FROM forecast.predictions "
        "WHERE model = %s AND issued_at = %s ORDER BY 1, 2"
    )
    before, said = rows(query, BLEND, T), record(rows)
    issues.fill(filled, T, T + 2 * DAY, seed=9)
    issues.put_neso(filled, T + HALF_HOUR, T + HALF_HOUR, [400] * 96)
    issues.issue(filled, T, T + 3 * HOUR, boost=Trees(), now=T + 3 * DAY, backtest=True)
    assert rows(query, BLEND, T) == before
    assert record(rows) == said
    assert record(rows, T + 3 * HOUR) != said


# NESO as a member.


@pytest.mark.parametrize(
    ("captured", "level", "simulated", "reason"),
    [
        (T - HALF_HOUR, 210, False, None),
        (T - 7 * HOUR, 210, False, NONE_CAPTURED),
        (T + HALF_HOUR, 210, False, NONE_CAPTURED),
        (T - HALF_HOUR, 210, True, NONE_CAPTURED),
        (T - HALF_HOUR, 90, False, "NESO's forecast is "),
    ],
    ids=["usual", "old", "later", "simulated", "bogus"],
)
def test_nesos_forecast_is_a_member_where_it_is_known_true_and_usual(
    filled: SecretStr,
    rows: Rows,
    captured: datetime,
    level: float,
    simulated: bool,
    reason: str | None,
) -> None:
    issues.issue(filled, T, boost=Trees())
    without = medians(rows, BLEND)
    issues.put_neso(filled, T - 3 * HOUR, T - 3 * HOUR, [205] * 96) if level < 100 else None
    rows(
        "INSERT INTO raw.neso_vintages (issued_at, starts_at, simulated, forecast_gco2_kwh) "
        "VALUES (%s, %s, %s, array_fill(%s::numeric, ARRAY[96])) RETURNING 1",
        *(captured, captured, simulated, level),
    )
    issues.issue(filled, T, boost=Trees(), now=issues.LATER + HOUR)
    found, blended = record(rows), medians(rows, BLEND)
    [(neso_issued_at,)] = rows(
        "SELECT neso_issued_at FROM forecast.issues WHERE model = %s AND issued_at = %s", BLEND, T
    )
    if reason is None:
        assert found["left_out"] == {}
        assert found["members"]["neso"] == {"model": "neso"}
        assert neso_issued_at == captured
        assert np.abs(np.subtract(blended, without)).max() > 1
    else:
        assert found["left_out"]["neso"].startswith(reason)
        assert "neso" not in found["members"]
        assert neso_issued_at is None
        assert blended == without


def test_nesos_errors_are_learned_from_what_was_a_member(filled: SecretStr, rows: Rows) -> None:
    for at in every_three_hours(5):
        later = [issues.intensity_of(at + n * HALF_HOUR) + 12 for n in range(96)]
        issues.put_neso(filled, at - HALF_HOUR, at, later)
    issues.issue(filled, *every_three_hours(5), START, boost=Trees(), backtest=True)
    found = record(rows, START)
    weights, biases = (found[name]["carbon_intensity"]["history"] for name in ("weights", "biases"))
    assert weights["neso_corrected"][0] > 0.5  # it was 0.1
    # 12 g at each of up to 40 issues
    assert biases["neso_corrected"][0] == pytest.approx(12 * 40 / 60, abs=1)
    assert "neso" not in biases


# Members that are missing.


def test_without_trees_the_blend_is_what_the_others_say(filled: SecretStr, rows: Rows) -> None:
    issues.issue(filled, T, boost=no_trees)
    assert record(rows)["left_out"][BOOSTED] == (
        "The bundled trees cannot be used: the disk is full."
    )
    for series in range(1, 11):
        assert medians(rows, BLEND, series=series) == medians(rows, MODEL, series=series)


def test_where_seasonal_naive_stands_in_the_trees_forecast_alone(
    filled: SecretStr, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "SHIPPED", registry.SHIPPED / "none")
    issues.issue(filled, T, model=Broken(), boost=Trees())
    found = record(rows)
    assert "it ran out of memory" in found["left_out"]["configured"]
    assert medians(rows, BLEND) == medians(rows, BOOSTED)
    issues.issue(filled, T + HALF_HOUR, model=Broken(), boost=no_trees, now=issues.LATER)
    assert medians(rows, BLEND, T + HALF_HOUR) == medians(rows, "seasonal_naive", T + HALF_HOUR)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "JSONDecodeError: "),
        (prior.FILE.read_text().replace("0.65", "1.65"), "is not 5 numbers from 0 to 1."),
        (None, "FileNotFoundError: "),
    ],
    ids=["damaged", "no shares", "gone"],
)
def test_without_usable_weights_the_others_forecast_and_the_blend_says_why(
    filled: SecretStr,
    rows: Rows,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    content: str | None,
    reason: str,
) -> None:
    def forget() -> None:
        prior.shipped_prior.cache_clear()
        prior.prior_revision.cache_clear()

    file = tmp_path / "prior.json"
    if content is not None:
        file.write_text(content)
    forget()
    try:
        with monkeypatch.context() as changed:
            changed.setattr(prior, "FILE", file)
            done = issues.issue(filled, T, boost=Trees())
    finally:
        forget()
    assert (done.issues, done.shown) == (1, MODEL)
    assert rows("SELECT DISTINCT model FROM forecast.predictions ORDER BY 1") == [
        (model,) for model in (MODEL, BOOSTED, "seasonal_naive")
    ]
    [(said,)] = rows("SELECT refused_reason FROM forecast.issues WHERE model = %s", BLEND)
    assert said.startswith(f"The bundled weights of the blend cannot be used: {file}: ")
    assert reason in said
    assert f"blend cannot forecast: {file}: " in caplog.text
    issues.issue(filled, T, boost=Trees(), now=issues.LATER + HOUR)  # once it is mended
    assert set(record(rows)["members"]) == {"configured", BOOSTED}


def test_another_model_starts_from_the_prior(filled: SecretStr, rows: Rows) -> None:
    issues.issue(filled, *every_three_hours(5), boost=Trees(), backtest=True)
    other = Stub("chronos:renamed", factor=1.2)
    issues.issue(filled, START, T, model=other, configured=other.name, boost=Trees())
    found = record(rows)
    assert found["members"]["configured"]["model"] == "chronos:renamed"
    assert "configured" not in found["biases"]["carbon_intensity"]["history"]
    trees = found["weights"]["carbon_intensity"]["history"][BOOSTED]
    np.testing.assert_allclose(trees, np.round(shipped_prior()[TREES, 0, 0], 3), atol=0.001)


def test_a_backtest_of_a_new_model_keeps_the_blend_that_was_issued_then(
    filled: SecretStr, rows: Rows
) -> None:
    on_time, late = T - 3 * HOUR, T - 6 * HOUR
    issues.issue(filled, on_time, boost=Trees(), now=on_time - HALF_HOUR / 2)
    issues.issue(filled, late, boost=Trees())
    issued = record(rows, on_time), medians(rows, BLEND, on_time)
    other = Stub("chronos:renamed", factor=1.2)

    def backtest() -> None:
        issues.issue(
            *(filled, late, on_time, T),
            model=other,
            configured=other.name,
            boost=Trees(),
            backtest=True,
        )

    def configured(at: datetime) -> Any:
        return record(rows, at)["members"]["configured"]["model"]

    backtest()
    assert (record(rows, on_time), medians(rows, BLEND, on_time)) == issued
    assert rows("SELECT count(*) FROM forecast.issues WHERE model = %s", other.name) == [(3,)]
    assert [configured(late), configured(T)] == [other.name, other.name]
    backtest()  # asked for again, so all of it is made again
    assert configured(on_time) == other.name
