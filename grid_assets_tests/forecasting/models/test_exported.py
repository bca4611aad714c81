"""The network in ONNX Runtime: the same numbers as by torch, and only for its own weights."""

from __future__ import annotations

import hashlib
import logging
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file, save_file

from grid_assets.cli.train import train
from grid_assets.forecasting import evaluation
from grid_assets.forecasting.horizon import FORECAST_STEPS, HORIZON, QUANTILES
from grid_assets.forecasting.models import registry
from grid_assets.forecasting.models.exported import ExportedForecaster
from grid_assets.forecasting.models.folder import CONFIG, EXPORT, WEIGHTS
from grid_assets.forecasting.models.forecaster import CONTEXT, MAX_MISSING, ModelUnusable, Problem
from grid_assets_tests.forecasting.boosting.made_up import outlook
from grid_assets_tests.forecasting.conftest import Hub, MakeProblem

if TYPE_CHECKING:
    from grid_assets.forecasting.models.chronos import ChronosForecaster

pytestmark = pytest.mark.slow

LATE = HORIZON + MAX_MISSING
"""The steps of a forecast whose actuals are more than eight hours late."""

ROUNDING = 0.005
"""In gCO2/kWh or percent. Values are stored in tenths; both runtimes add up float32 values of up to
some hundreds in another order, and differ by up to 0.001 where this was written."""


def by_torch(folder: Path) -> ChronosForecaster:
    from grid_assets.forecasting.models.chronos import ChronosForecaster

    return ChronosForecaster.from_folder(folder, "chronos:by-torch")


@pytest.fixture(scope="module")
def recorded() -> list[Problem]:
    """Problems from the month that measures the bundled checkpoint."""
    return list(evaluation.problem_set(evaluation.REPORT, timedelta(hours=29)).problems)


@pytest.fixture(scope="module")
def exported_folder(chronos2_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Chronos-2 with an export of its own."""
    from grid_assets.forecasting.exporting import export

    folder = Path(shutil.copytree(chronos2_folder, tmp_path_factory.mktemp("exported") / "tiny"))
    export(folder)
    return folder


@pytest.fixture
def folder(exported_folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(exported_folder, tmp_path / "tiny"))


@pytest.fixture
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra `chronos` had not been installed."""
    for name in [name for name in sys.modules if name.startswith("grid_assets.forecasting")]:
        if name.endswith((".chronos", ".training", ".exporting")):
            monkeypatch.delitem(sys.modules, name)
    for name in ("chronos", "huggingface_hub", "torch", "transformers"):
        monkeypatch.setitem(sys.modules, name, None)


def with_holes(problem: Problem, seed: int) -> Problem:
    chance = np.random.default_rng(seed)
    context = problem.context.copy()
    context[chance.random(context.shape) < 0.2] = np.nan
    context[:, 40:90] = np.nan
    context[chance.integers(len(context))] = np.nan
    return replace(problem, context=context)


def with_neso(problem: Problem, seed: int) -> Problem:
    neso = np.random.default_rng(seed).uniform(50, 300, HORIZON).astype(np.float32)
    return replace(problem, neso=neso)


def short(problem: Problem, seed: int) -> Problem:
    return replace(problem, context=problem.context[:, -200 - seed :])


def with_outlook(problem: Problem, seed: int) -> Problem:
    """With an outlook that now and then lacks a series, ends early, or is not there at all."""
    if seed % 4 == 3:
        return problem
    shown = outlook(seed)
    if seed % 3 == 1:
        shown[seed % len(shown)] = np.nan
    elif seed % 3 == 2:
        shown[:, CONTEXT + 40 :] = np.nan
    return replace(problem, outlook=shown)


def as_it_is(problem: Problem, seed: int) -> Problem:
    return problem


def both(problem: Problem, seed: int) -> Problem:
    return with_neso(with_holes(problem, seed), seed)


def test_the_bundled_checkpoint_runs_by_its_export_under_the_same_name_and_revision() -> None:
    loaded = registry.load(None, 0)
    assert loaded.reason is None
    assert isinstance(loaded.forecaster, ExportedForecaster)
    assert (loaded.info.model, loaded.info.revision, loaded.info.parameters) == (
        "chronos:gb-outlook-2025-10",
        "201b1f192cac",
        773_824,
    )


def test_the_bundled_export_names_no_folder_of_the_machine_that_made_it() -> None:
    content = (registry.SHIPPED / EXPORT).read_bytes()
    for part in (b"site-packages", b"/home", b"/work", b"File "):
        assert part not in content
    assert len(content) < 200_000  # the weights are in their own file


@pytest.mark.parametrize(
    ("change", "steps", "count"),
    [
        (as_it_is, FORECAST_STEPS, 24),
        (with_holes, FORECAST_STEPS, 12),
        (with_neso, FORECAST_STEPS, 12),
        (with_outlook, FORECAST_STEPS, 12),
        (with_outlook, LATE, 4),
        (short, FORECAST_STEPS, 4),
        (as_it_is, 20, 4),
        (both, LATE, 6),
        (as_it_is, 300, 2),
    ],
)
def test_both_runtimes_give_the_same_quantiles(
    recorded: list[Problem], change: Callable[[Problem, int], Problem], steps: int, count: int
) -> None:
    problems = [change(problem, seed) for seed, problem in enumerate(recorded[:count])]
    expected = by_torch(registry.SHIPPED).predict(problems, steps)
    exported = ExportedForecaster.from_folder(registry.SHIPPED, "chronos:exported")
    answer = exported.predict(problems, steps)

    assert answer.shape == expected.shape == (count, 10, steps, len(QUANTILES))
    np.testing.assert_allclose(answer, expected, rtol=0, atol=ROUNDING)
    known = np.isfinite(expected)
    other_tenth = (answer.round(1) != expected.round(1))[known].mean()
    assert other_tenth < 0.001  # where it was written, 1 to 7 of 100,000


def test_a_new_export_gives_the_same_quantiles_and_the_number_of_weights(
    exported_folder: Path, make_problem: MakeProblem
) -> None:
    exported = ExportedForecaster.from_folder(exported_folder, "chronos:exported")
    reference = by_torch(exported_folder)
    assert exported.parameters == reference.parameters
    problems = [make_problem(seed) for seed in range(3)]
    for steps in (FORECAST_STEPS, LATE):
        answer, expected = (model.predict(problems, steps) for model in (exported, reference))
        # with random weights, values reach thousands
        np.testing.assert_allclose(answer, expected, rtol=1e-3, atol=ROUNDING)


def test_a_forecast_does_not_depend_on_what_is_forecast_beside_it(recorded: list[Problem]) -> None:
    exported = ExportedForecaster.from_folder(registry.SHIPPED, "chronos:exported")
    alone = exported.predict(recorded[3:4], FORECAST_STEPS)
    beside = exported.predict(recorded[:8], FORECAST_STEPS)[3:4]
    np.testing.assert_array_equal(alone, beside)


def test_weights_behind_links_are_read_as_well(exported_folder: Path, tmp_path: Path) -> None:
    for file in exported_folder.iterdir():
        (tmp_path / file.name).symlink_to(file)
    assert ExportedForecaster.from_folder(tmp_path, "x").parameters > 0


def _other_weights(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    changed = {name: weight * np.float32(1.1) for name, weight in weights.items()}
    save_file(changed, folder / WEIGHTS, metadata={"format": "pt"})


def _fewer_weights(folder: Path) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[: len(content) // 2])


def _other_configuration(folder: Path) -> None:
    path = folder / CONFIG
    path.write_text(path.read_text().replace('"rope_theta": 10000.0', '"rope_theta": 9000.0'))


def _cut_short(folder: Path) -> None:
    (folder / EXPORT).write_bytes((folder / EXPORT).read_bytes()[:5000])


def _foreign(folder: Path) -> None:
    (folder / EXPORT).write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_other_weights, "was made from another model.safetensors"),
        (_other_configuration, "was made from another config.json"),
        (_cut_short, "does not fit the files beside it or is damaged"),
        (_foreign, "does not fit the files beside it or is damaged"),
        (lambda folder: (folder / EXPORT).unlink(), "has no model.onnx"),
    ],
)
def test_a_checkpoint_whose_export_does_not_fit_runs_by_torch_and_the_log_says_why(
    spoil: Callable[[Path], None],
    says: str,
    folder: Path,
    make_problem: MakeProblem,
    caplog: pytest.LogCaptureFixture,
) -> None:
    spoil(folder)
    with caplog.at_level(logging.INFO):
        loaded = registry.load(str(folder), 0)
    assert (loaded.reason, loaded.info.model) == (None, "chronos:tiny")
    assert not isinstance(loaded.forecaster, ExportedForecaster)
    [said] = [record.message for record in caplog.records if record.name == registry.__name__]
    assert says in said
    assert "runs by torch" in said
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    assert loaded.info.revision == digest[:12]
    expected = by_torch(folder).predict([make_problem()], HORIZON)
    np.testing.assert_array_equal(loaded.forecaster.predict([make_problem()], HORIZON), expected)


def test_a_repaired_export_is_used_by_the_same_process(folder: Path) -> None:
    whole = (folder / EXPORT).read_bytes()
    _cut_short(folder)
    assert not isinstance(registry.load(str(folder), 0).forecaster, ExportedForecaster)
    (folder / EXPORT).write_bytes(whole)
    assert isinstance(registry.load(str(folder), 0).forecaster, ExportedForecaster)


def test_damaged_weights_are_no_reason_to_trust_the_export(folder: Path) -> None:
    _fewer_weights(folder)
    loaded = registry.load(str(folder), 0)
    assert loaded.info.source == registry.SHIPPED_SOURCE
    assert "damaged or cut short" in (loaded.reason or "")


def test_without_torch_another_checkpoint_gives_way_to_the_bundled_one_with_the_cure(
    chronos2_folder: Path, hub: Hub, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("no_torch")  # last: the hub imports what is then missing
    for source in (str(chronos2_folder), "org/tiny"):
        loaded = registry.load(source, 60)
        assert isinstance(loaded.forecaster, ExportedForecaster)
        assert loaded.reason == (
            f"GRID_CHRONOS_MODEL={source} cannot be used: torch is not installed. Install it with "
            "`make chronos`, or with `pip install 'grid-assets[chronos]'`. The bundled checkpoint "
            "forecasts instead."
        )
    assert hub.paths == []  # nothing is downloaded that cannot be used


@pytest.mark.usefixtures("no_torch")
def test_without_torch_and_without_a_fitting_export_seasonal_naive_forecasts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, make_problem: MakeProblem
) -> None:
    _other_weights(folder)
    monkeypatch.setattr(registry, "SHIPPED", folder)
    loaded = registry.load(None, 0)
    assert loaded.info.source == registry.BUILTIN_SOURCE
    assert (loaded.reason or "").startswith(
        "The bundled checkpoint cannot be used: torch is not installed. Install it with"
    )
    answer = registry.predict_with_fallback(loaded, [make_problem()], HORIZON)
    assert np.isfinite(answer.quantiles).all()


def test_a_torch_that_cannot_be_imported_is_as_good_as_none(
    chronos2_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "grid_assets.forecasting.models.chronos", None)
    loaded = registry.load(str(chronos2_folder), 0)
    assert isinstance(loaded.forecaster, ExportedForecaster)
    assert "torch cannot be imported: ModuleNotFoundError" in (loaded.reason or "")


@pytest.mark.usefixtures("no_torch")
def test_training_without_torch_says_how_to_install_it(tmp_path: Path) -> None:
    run = CliRunner().invoke(train, ["--output", str(tmp_path / "new")])
    assert run.exit_code == 1
    assert run.output == (
        "Error: Nothing can be trained: torch is not installed. Install it with `make chronos`, or "
        "with `pip install 'grid-assets[chronos]'`.\n"
    )


def test_a_network_that_fails_names_the_model(
    make_problem: MakeProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported = ExportedForecaster.from_folder(registry.SHIPPED, "chronos:broken")
    monkeypatch.setattr(exported, "_session", None)
    with pytest.raises(ModelUnusable, match="chronos:broken failed while forecasting: Attribute"):
        exported.predict([make_problem()], HORIZON)
