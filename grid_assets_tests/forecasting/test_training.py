"""Training is repeatable, and reads none of the half-hours that its checkpoint is scored on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from grid_assets.cli.train import train as train_command
from grid_assets.forecasting import recorded_series
from grid_assets.forecasting.covariates import CALENDAR
from grid_assets.forecasting.evaluation import CHOOSE
from grid_assets.forecasting.models import registry
from grid_assets.forecasting.models.exported import ExportedForecaster
from grid_assets.halfhours import HALF_HOUR
from grid_assets.replay.recording import Intensity, Recording, load_recording
from grid_assets.series import SERIES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def training() -> ModuleType:
    from grid_assets.forecasting import training

    return training


@pytest.fixture(scope="module")
def tiny(training: ModuleType) -> Any:
    """A recipe of a second or two."""
    return training.Recipe(
        phases=(training.Phase("single", 3, 1e-3), training.Phase("joint", 2, 3e-4)),
        seed=1,
        context=64,
        batch_rows=26,
        width=32,
        layers=1,
    )


def noise_where(spoiled: Callable[[datetime], bool]) -> Recording:
    """The recording with random values in some half-hours."""
    chance = np.random.default_rng(7)
    real = load_recording()
    shares = tuple(float(share) for share in (10, 0, 10, 30, 10, 0, 0, 20, 20))
    return Recording(
        {
            period: Intensity(500, int(chance.integers(501, 999)), "high")
            if spoiled(period)
            else row
            for period, row in real.intensity.items()
        },
        {period: shares if spoiled(period) else row for period, row in real.mix.items()},
    )


def test_no_half_hour_after_the_training_span_is_read(
    training: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def contexts(recording: Recording) -> list[bytes]:
        monkeypatch.setattr(recorded_series, "load_recording", lambda: recording)
        examples = training.single_series() + training.joint_series()
        return [example["context"].numpy().tobytes() for example in examples]

    end: datetime = training.TRAINED_TO
    real = contexts(load_recording())
    assert contexts(noise_where(lambda period: period >= end)) == real

    last = end - HALF_HOUR  # and the comparison would notice if it were
    assert contexts(noise_where(lambda period: period == last)) != real


def test_what_scores_the_checkpoint_begins_where_training_ends(training: ModuleType) -> None:
    assert training.INTENSITY_SPANS[-1].end == training.TRAINED_TO <= CHOOSE.start


def test_all_ten_together_are_drawn_as_often_as_intensity_alone(training: ModuleType) -> None:
    joint_series = training.joint_series
    targets = [int(example["n_targets"]) for example in joint_series()]
    assert set(targets) == {1, len(SERIES)}
    assert targets.count(1) == targets.count(len(SERIES))
    assert all(example["n_future_covariates"] == len(CALENDAR) for example in joint_series())


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
    assert "89,373 recorded half-hours of carbon intensity" in run.output
    assert "stage 1, step 2 of 2" in run.output
    assert "stage 2, step 2 of 2" in run.output
    card: dict[str, Any] = json.loads((folder / "grid.json").read_text(encoding="utf-8"))
    assert (card["name"], card["trained_to"]) == ("gb-small-2025-10", "2025-11-01T00:00:00Z")
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
