"""Training is repeatable, and reads none of the half-hours that its checkpoint is scored on."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from grid_assets.cli.train import train as train_command
from grid_assets.forecasting import training_record
from grid_assets.forecasting.covariates import CALENDAR
from grid_assets.forecasting.evaluation import CHOOSE
from grid_assets.forecasting.examples import inputs_at
from grid_assets.forecasting.horizon import FORECAST_STEPS
from grid_assets.forecasting.models import registry
from grid_assets.forecasting.models.exported import ExportedForecaster
from grid_assets.forecasting.models.forecaster import CONTEXT, Problem
from grid_assets.forecasting.models.joint import joint_rows
from grid_assets.forecasting.outlook_covariates import OUTLOOK_COVARIATES, outlook_covariates
from grid_assets.forecasting.training_record import Record, load_record
from grid_assets.halfhours import HALF_HOUR, Window
from grid_assets.series import SERIES
from grid_assets_tests.forecasting.other_sources import record_with_others

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def training() -> ModuleType:
    from grid_assets.forecasting import training

    return training


@pytest.fixture(scope="module")
def tiny(training: ModuleType) -> Any:
    """A recipe of a second or two."""
    return training.Recipe(
        phases=(training.Phase("single", 3, 1e-3, 26), training.Phase("joint", 2, 3e-4, 40)),
        windows=60,
        seed=1,
        context=64,
        width=32,
        layers=1,
    )


@pytest.fixture(scope="module")
def record() -> Record:
    return load_record()


def examples(training: ModuleType, tiny: Any, record: Record) -> list[bytes]:
    made = training.examples_of(tiny, record, training_record.TRAINED_TO)
    parts = [*made["single"], *made["joint"]]
    return [example["context"].numpy().tobytes() for example in parts]


def test_no_half_hour_that_measures_a_model_is_read(
    training: ModuleType, tiny: Any, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its sources say, from the files that ship to the examples."""
    end = training_record.TRAINED_TO
    real = examples(training, tiny, record)
    for span in (training_record.SET_ASIDE, Window(end, training_record.END)):
        assert examples(training, tiny, record_with_others(monkeypatch, span)) == real

    # and the comparison would notice if they were
    last = Window(end - HALF_HOUR, end)
    assert examples(training, tiny, record_with_others(monkeypatch, last)) != real


def test_what_scores_the_checkpoint_begins_where_training_ends() -> None:
    assert CHOOSE.start >= training_record.TRAINED_TO


def test_windows_have_the_rows_of_a_forecast(
    training: ModuleType, tiny: Any, record: Record
) -> None:
    joint = training.examples_of(tiny, record, training_record.TRAINED_TO)["joint"]
    rows = [len(example["context"]) for example in joint]
    without = len(SERIES) + len(CALENDAR)
    assert set(rows) == {without, without + len(OUTLOOK_COVARIATES)}
    assert all(example["n_targets"] == len(SERIES) for example in joint)


def test_a_window_shows_an_issue_what_its_forecast_would_be_shown(record: Record) -> None:
    """The same half-hours as a `Problem`, through `joint_rows`."""
    issue = record.place(datetime(2022, 6, 1, 10, tzinfo=UTC))
    inputs, places = inputs_at(record, np.array([issue]), np.array([1]), FORECAST_STEPS)
    shown = np.hstack([inputs.clock[0].astype(np.float32).T, outlook_covariates(inputs)[0].T])
    problem = Problem(
        inputs.context[0].astype(np.float32),
        record.start + int(places[0, 0]) * HALF_HOUR,
        outlook=inputs.outlook[0].astype(np.float32),
    )
    past, future = joint_rows(problem, FORECAST_STEPS, CONTEXT)
    together = np.hstack([past, future])
    assert np.isnan(future[: len(SERIES)]).all()
    assert np.isfinite(future[-1]).sum() > 60  # the line reaches into tomorrow
    np.testing.assert_array_equal(together[len(SERIES) :].T, shown)


def test_the_same_seed_gives_the_same_weights(
    training: ModuleType, tiny: Any, tmp_path: Path
) -> None:
    def weights(folder: str, recipe: Any) -> bytes:
        checkpoint: Path = training.train(recipe, tmp_path / folder, 1)
        return (checkpoint / "model.safetensors").read_bytes()

    first = weights("first", tiny)
    assert weights("second", tiny) == first
    assert weights("other", replace(tiny, seed=2)) != first


def test_the_command_writes_a_checkpoint_with_its_name_and_span(
    training: ModuleType, tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "Recipe", lambda: tiny)
    folder = tmp_path / "made" / "here"
    run = CliRunner().invoke(
        train_command,
        ["--output", str(folder), "--steps", "2", "--threads", "1"],
        catch_exceptions=False,
    )

    assert run.exit_code == 0
    assert "half-hours of carbon intensity and the mix, 5" in run.output
    assert "stage 1, step 2 of 2" in run.output
    assert "stage 2, step 2 of 2" in run.output
    card: dict[str, Any] = json.loads((folder / "grid.json").read_text(encoding="utf-8"))
    assert (card["name"], card["trained_to"]) == ("gb-outlook-2025-10", "2025-11-01T00:00:00Z")
    recipe = card["recipe"]
    assert ([phase["steps"] for phase in recipe["phases"]], recipe["seed"]) == ([2, 2], 1)
    assert {file.name for file in folder.iterdir()} == {
        "config.json",
        "grid.json",
        "model.onnx",
        "model.safetensors",
    }
    assert isinstance(registry.load(str(folder), 0).forecaster, ExportedForecaster)
    assert [path.name for path in folder.parent.iterdir()] == ["here"]


def test_an_existing_folder_is_not_overwritten(tmp_path: Path) -> None:
    run = CliRunner().invoke(train_command, ["--output", str(tmp_path)])
    assert run.exit_code == 2
    assert "exists already" in run.output
