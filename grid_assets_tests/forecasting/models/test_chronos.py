"""Chronos-2, Chronos-Bolt and original Chronos through one interface, with real tiny models.

Modules that import torch are imported in functions, so that other tests do not wait for it.
"""

from __future__ import annotations

import io
import shutil
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from grid_assets.forecasting.covariates import calendar
from grid_assets.forecasting.models.forecaster import ModelUnusable
from grid_assets.halfhours import HALF_HOUR
from grid_assets_tests.forecasting.conftest import MakeProblem

if TYPE_CHECKING:
    from grid_assets.forecasting.models.chronos import ChronosForecaster

pytestmark = pytest.mark.slow

CLOSE: dict[str, Any] = {"rtol": 1e-3, "atol": 1e-3}
"""Float noise of a batch; values are of the order of 10 to 1000."""


def from_folder(folder: Path, name: str) -> ChronosForecaster:
    from grid_assets.forecasting.models.chronos import ChronosForecaster

    return ChronosForecaster.from_folder(folder, name)


@pytest.fixture(scope="module")
def chronos2(chronos2_folder: Path) -> ChronosForecaster:
    return from_folder(chronos2_folder, "chronos:tiny-2")


@pytest.fixture(scope="module")
def bolt(bolt_folder: Path) -> ChronosForecaster:
    return from_folder(bolt_folder, "chronos:tiny-bolt")


@pytest.fixture(scope="module")
def original(original_folder: Path) -> ChronosForecaster:
    return from_folder(original_folder, "chronos:tiny-t5")


@pytest.fixture(scope="module", params=["chronos2", "bolt", "original"])
def model(request: pytest.FixtureRequest) -> ChronosForecaster:
    return request.getfixturevalue(request.param)


def test_every_kind_of_chronos_forecasts_ten_series_for_48_hours(
    model: ChronosForecaster, make_problem: MakeProblem
) -> None:
    answer = model.predict([make_problem(0), make_problem(1)], 96)
    assert answer.shape == (2, 10, 96, 3)
    assert answer.dtype == np.float32
    assert np.isfinite(answer).all()
    assert not np.allclose(answer[0], answer[1])
    assert model.parameters > 1000


def test_a_forecast_can_be_repeated_bit_by_bit(
    model: ChronosForecaster, make_problem: MakeProblem
) -> None:
    import torch

    problems = [make_problem(seed, half_hours=336 - 50 * seed) for seed in range(3)]
    first = model.predict(problems, 96)
    torch.manual_seed(99)
    np.testing.assert_array_equal(model.predict(problems, 96), first)


def test_a_forecast_leaves_the_random_state_of_others_alone(
    model: ChronosForecaster, make_problem: MakeProblem
) -> None:
    import torch

    before = torch.get_rng_state()
    model.predict([make_problem()], 96)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_forecast_does_not_depend_on_the_other_problems(
    model: ChronosForecaster, make_problem: MakeProblem
) -> None:
    many = 11 if model.name != "chronos:tiny-t5" else 3  # more than go through the model at once
    neso = np.full(96, 200, np.float32)
    problems = [
        make_problem(seed, half_hours=40 + 29 * seed, neso=neso if seed % 2 else None)
        for seed in range(many)
    ]
    problems[1].context[:, -30:] = 13579
    together = model.predict(problems, 96)
    for problem, answer in zip(problems, together, strict=True):
        np.testing.assert_allclose(answer, model.predict([problem], 96)[0], **CLOSE)


def test_holes_constants_and_wild_values_give_finite_forecasts(
    model: ChronosForecaster, make_problem: MakeProblem
) -> None:
    holes = make_problem(1)
    holes.context[:, 100:140] = np.nan
    holes.context[4, ::2] = np.nan
    end_missing = make_problem(2)
    end_missing.context[:, -20:] = np.nan
    constant = replace(make_problem(3), context=np.full((10, 336), 0.1, np.float32))
    nothing_but_zero = replace(make_problem(4), context=np.zeros((10, 336), np.float32))
    wild = make_problem(5)
    wild.context[0, 200] = 13579
    short = make_problem(6, half_hours=20)
    one_value = make_problem(7)
    one_value.context[3, 1:] = np.nan
    single = make_problem(8, half_hours=1)
    answer = model.predict(
        [holes, end_missing, constant, nothing_but_zero, wild, short, one_value, single], 96
    )
    assert np.isfinite(answer).all()


def test_a_series_without_any_value_has_no_forecast_and_the_others_have(
    model: ChronosForecaster, make_problem: MakeProblem
) -> None:
    problem = make_problem()
    problem.context[5] = np.nan
    [answer] = model.predict([problem], 96)
    assert np.isnan(answer[5]).all()
    assert np.isfinite(np.delete(answer, 5, axis=0)).all()


def test_a_context_without_any_value_has_no_forecast(
    model: ChronosForecaster, make_problem: MakeProblem
) -> None:
    empty = replace(make_problem(), context=np.full((10, 336), np.nan, np.float32))
    none = replace(make_problem(), context=np.empty((10, 0), np.float32))
    answer = model.predict([empty, make_problem(), none], 96)
    assert np.isnan(answer[[0, 2]]).all()
    assert np.isfinite(answer[1]).all()
    assert model.predict([], 96).shape == (0, 10, 96, 3)


def test_horizons_beyond_what_a_model_gives_at_once_are_forecast_silently(
    model: ChronosForecaster, make_problem: MakeProblem, caplog: pytest.LogCaptureFixture
) -> None:
    said = io.StringIO()
    with redirect_stderr(said), redirect_stdout(said):
        assert np.isfinite(model.predict([make_problem()], 120)).all()
    assert said.getvalue() == ""
    assert caplog.records == []


def test_bolt_takes_its_first_64_steps_directly(
    bolt: ChronosForecaster, make_problem: MakeProblem
) -> None:
    direct = bolt.predict([make_problem()], 64)
    np.testing.assert_allclose(bolt.predict([make_problem()], 96)[:, :, :64], direct, **CLOSE)


def test_bolt_forecasts_each_series_alone(
    bolt: ChronosForecaster, make_problem: MakeProblem
) -> None:
    changed = make_problem()
    changed.context[0] *= 2
    before, after = bolt.predict([make_problem(), changed], 96)
    np.testing.assert_allclose(before[1:], after[1:], **CLOSE)
    assert not np.allclose(before[0], after[0])


def test_chronos_2_forecasts_the_series_jointly(
    chronos2: ChronosForecaster, make_problem: MakeProblem
) -> None:
    changed = make_problem()
    changed.context[0] = changed.context[0, ::-1]
    before, after = chronos2.predict([make_problem(), changed], 96)
    assert not np.allclose(before[9], after[9], **CLOSE)


def test_chronos_2_knows_the_calendar(
    chronos2: ChronosForecaster, make_problem: MakeProblem
) -> None:
    problem = make_problem()
    later = replace(problem, start=problem.start + 7 * HALF_HOUR)
    before, after = chronos2.predict([problem, later], 96)
    assert not np.allclose(before, after, **CLOSE)


def test_chronos_2_sees_the_calendar_of_the_context_and_of_the_forecast(
    make_problem: MakeProblem,
) -> None:
    from grid_assets.forecasting.models import chronos

    problem = make_problem(half_hours=400)
    prepared = chronos.prepare_input(problem, 96, 320)
    known = calendar(problem.start, 496)
    assert prepared["n_targets"] == 10
    assert prepared["n_covariates"] == prepared["n_future_covariates"] == 3
    np.testing.assert_array_equal(prepared["context"][:10], problem.context[:, 80:])
    np.testing.assert_array_equal(prepared["context"][10:], known[:, 80:400])
    np.testing.assert_array_equal(prepared["future_covariates"][10:], known[:, 400:])
    assert prepared["future_covariates"][:10].isnan().all()


@pytest.mark.parametrize("half_hours_known", [96, 12])
def test_chronos_2_uses_nesos_forecast_as_far_as_it_goes(
    half_hours_known: int, chronos2: ChronosForecaster, make_problem: MakeProblem
) -> None:
    low = np.full(96, np.nan, np.float32)
    low[:half_hours_known] = 120
    high = np.where(np.isnan(low), low, np.float32(280))
    without, with_low, with_high = chronos2.predict(
        [make_problem(), make_problem(neso=low), make_problem(neso=high)], 96
    )
    assert np.isfinite(with_low).all()
    assert not np.allclose(with_low, with_high, **CLOSE)
    assert not np.allclose(with_low, without, **CLOSE)


def test_nesos_forecast_is_read_on_the_scale_of_the_measured_intensity(
    make_problem: MakeProblem,
) -> None:
    from grid_assets.forecasting.models import chronos

    problem = make_problem()
    mean, deviation = problem.context[0].mean(), problem.context[0].std()
    neso = np.array([mean, mean + deviation, np.nan], np.float32)
    prepared = chronos.prepare_input(replace(problem, neso=neso), 3, 336)
    np.testing.assert_allclose(prepared["future_covariates"][-1], [0, 1, np.nan], atol=1e-5)
    assert prepared["context"][-1].isnan().all()


def test_nesos_forecast_without_a_scale_to_read_it_on_stays_finite(
    chronos2: ChronosForecaster, make_problem: MakeProblem
) -> None:
    neso = np.full(96, 200, np.float32)
    unknown = make_problem(neso=neso)
    unknown.context[0] = np.nan
    constant = make_problem(neso=neso)
    constant.context[0] = 150
    silent = make_problem(neso=np.full(96, np.nan, np.float32))
    answer = chronos2.predict([unknown, constant, silent], 96)
    assert np.isnan(answer[0, 0]).all()
    assert np.isfinite(answer[0, 1:]).all()
    assert np.isfinite(answer[1:]).all()


def test_bolt_ignores_nesos_forecast(bolt: ChronosForecaster, make_problem: MakeProblem) -> None:
    neso = np.full(96, 200, np.float32)
    without, add_neso_forecast = bolt.predict([make_problem(), make_problem(neso=neso)], 96)
    np.testing.assert_allclose(without, add_neso_forecast, **CLOSE)


def test_nesos_forecast_may_be_shorter_or_longer_than_the_forecast(
    chronos2: ChronosForecaster, make_problem: MakeProblem
) -> None:
    short = np.linspace(100, 300, 12, dtype=np.float32)
    padded = np.full(96, np.nan, np.float32)
    padded[:12] = short
    longer = np.append(padded, np.float32(200))
    first, *others = chronos2.predict([make_problem(neso=n) for n in (padded, short, longer)], 96)
    for other in others:
        np.testing.assert_allclose(other, first, **CLOSE)


def test_a_failure_while_forecasting_names_the_model(
    chronos2_folder: Path, make_problem: MakeProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    import chronos

    def fail(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("shapes cannot be multiplied")

    model = from_folder(chronos2_folder, "chronos:broken")
    monkeypatch.setattr(chronos.Chronos2Pipeline, "predict_quantiles", fail)
    with pytest.raises(ModelUnusable, match="chronos:broken failed while forecasting: RuntimeErr"):
        model.predict([make_problem()], 96)


def test_loading_is_silent(chronos2_folder: Path) -> None:
    said = io.StringIO()
    with redirect_stderr(said), redirect_stdout(said):
        from_folder(chronos2_folder, "x")
    assert said.getvalue() == ""


def test_a_model_computes_in_float32_also_where_its_weights_are_stored_in_half_precision(
    chronos2_folder: Path, tmp_path: Path, make_problem: MakeProblem
) -> None:
    weights = load_file(chronos2_folder / "model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {np.dtype("float32")}
    half = {name: weight.astype("float16") for name, weight in weights.items()}
    rounded = {name: weight.astype("float32") for name, weight in half.items()}
    answers = {}
    for kind, stored in (("half", half), ("rounded", rounded)):
        folder = Path(shutil.copytree(chronos2_folder, tmp_path / kind))
        save_file(stored, folder / "model.safetensors", metadata={"format": "pt"})
        answers[kind] = from_folder(folder, kind).predict([make_problem()], 96)
    np.testing.assert_array_equal(answers["half"], answers["rounded"])
    assert np.isfinite(answers["half"]).all()


def test_a_small_model_computes_on_one_thread(chronos2_folder: Path) -> None:
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(before + 1)
        from_folder(chronos2_folder, "x")
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
