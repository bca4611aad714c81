"""Choosing, loading and falling back, against real folders and a hub that misbehaves."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from grid_assets.forecasting.models import registry
from grid_assets.forecasting.models.forecaster import ModelUnusable, Problem, Values
from grid_assets.forecasting.models.registry import (
    Loaded,
    configured_name,
    load,
    predict_with_fallback,
)
from grid_assets_tests.forecasting.conftest import COMMIT, Hub, MakeProblem

pytestmark = pytest.mark.slow

NO_HUB_S = 5.0
HUB_S = 60.0
"""Enough for a download on a busy machine."""


@pytest.fixture
def folder(chronos2_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny Chronos-2 that a test may spoil."""
    return Path(shutil.copytree(chronos2_folder, tmp_path / "tiny"))


@pytest.fixture
def shipped(chronos2_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for the bundled checkpoint."""
    index = Path(shutil.copytree(chronos2_folder, tmp_path / "shipped" / "checkpoint"))
    card = {"name": "grid-tiny", "trained_to": "2025-11-01T00:00:00Z", "scores": {"0-3h": 13.0}}
    (index / "grid.json").write_text(json.dumps(card))
    monkeypatch.setattr(registry, "SHIPPED", index)
    return index


def _edit_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def _assert_shipped_instead(loaded: Loaded, *parts: str) -> None:
    assert loaded.info.model == loaded.forecaster.name == "chronos:grid-tiny"
    assert loaded.info.source == "shipped"
    assert loaded.reason is not None
    assert loaded.reason.endswith(". The bundled checkpoint forecasts instead.")
    for part in ("GRID_CHRONOS_MODEL=", *parts):
        assert part in loaded.reason


def test_a_folder_is_loaded_under_its_own_name(folder: Path, make_problem: MakeProblem) -> None:
    loaded = load(str(folder), NO_HUB_S)
    assert loaded.reason is None
    assert loaded.info.model == loaded.forecaster.name == "chronos:tiny"
    assert loaded.info.source == str(folder)
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert loaded.info.revision == digest[:12]
    assert loaded.info.trained_to is None
    assert loaded.info.scores == {}
    stored = load_file(folder / "model.safetensors")
    assert loaded.info.parameters == sum(weight.size for weight in stored.values())
    assert np.isfinite(loaded.forecaster.predict([make_problem()], 96)).all()


@pytest.mark.parametrize("source", [None, "", "  ", "shipped"])
def test_nothing_configured_is_the_bundled_checkpoint(source: str | None, shipped: Path) -> None:
    loaded = load(source, NO_HUB_S)
    assert loaded.reason is None
    assert loaded.info.model == "chronos:grid-tiny"
    assert loaded.info.source == "shipped"
    assert loaded.info.trained_to == datetime(2025, 11, 1, tzinfo=UTC)
    assert loaded.info.scores == {"0-3h": 13.0}


def test_a_bolt_model_loads_through_the_same_path(
    bolt_folder: Path, make_problem: MakeProblem
) -> None:
    loaded = load(str(bolt_folder), NO_HUB_S)
    assert (loaded.info.model, loaded.reason) == ("chronos:tiny-bolt", None)
    answer = predict_with_fallback(loaded, [make_problem()], 96)
    assert answer.info == loaded.info
    assert np.isfinite(answer.quantiles).all()


def test_a_folder_may_be_given_relative_to_here_or_to_home(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    (folder.parent / "org").mkdir()
    shutil.copytree(folder, folder.parent / "org" / "name")
    for source in ("tiny", "./tiny", "~/tiny", "org/name"):
        loaded = load(source, NO_HUB_S)
        assert (loaded.reason, loaded.info.source) == (None, source)


def _missing(folder: Path) -> None:
    shutil.rmtree(folder)


def _a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("no folder")


def _no_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def _broken_config(folder: Path) -> None:
    (folder / "config.json").write_text('{"chronos_config": ')


def _bert(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "bert", "hidden_size": 32}')


def _no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def _truncated(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def _no_header(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")


def _other_width(folder: Path) -> None:
    _edit_config(folder, d_model=64)


def _more_layers(folder: Path) -> None:
    _edit_config(folder, num_layers=2)


def _fewer_layers(folder: Path) -> None:
    _edit_config(folder, num_layers=0)


def _another_architecture(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    renamed = {f"bert.{name}": weight for name, weight in weights.items()}
    save_file(renamed, folder / "model.safetensors", metadata={"format": "pt"})


def _unknown_pipeline(folder: Path) -> None:
    _edit_config(folder, chronos_pipeline_class="Chronos9Pipeline")


def _card_without_zone(folder: Path) -> None:
    (folder / "grid.json").write_text('{"trained_to": "2025-11-01T00:00:00"}')


def _card_of_a_list(folder: Path) -> None:
    (folder / "grid.json").write_text("[]")


SPOILED: list[tuple[Callable[[Path], None], str]] = [
    (_missing, "tiny is missing"),
    (_a_file, "tiny is not a folder"),
    (_no_config, "has no config.json"),
    (_broken_config, "config.json cannot be read: JSONDecodeError"),
    (_bert, "describes a model of another kind (bert), not Chronos"),
    (_no_weights, "has no weights (*.safetensors)"),
    (_truncated, "model.safetensors is damaged or cut short"),
    (_no_header, "model.safetensors is damaged or cut short"),
    (_other_width, "do not make a model"),
    (_more_layers, "do not fit its config.json: 13 are missing and 0 unknown"),
    (_fewer_layers, "do not fit its config.json: 0 are missing and 13 unknown"),
    (_another_architecture, "do not fit its config.json"),
    (_unknown_pipeline, "unknown pipeline class: Chronos9Pipeline"),
    (_card_without_zone, "trained_to has no time zone"),
    (_card_of_a_list, "grid.json cannot be read"),
]


@pytest.mark.parametrize(
    ("spoil", "cause"), SPOILED, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_damaged_folder_falls_back_to_the_bundled_checkpoint(
    spoil: Callable[[Path], None], cause: str, folder: Path, shipped: Path
) -> None:
    spoil(folder)
    _assert_shipped_instead(load(str(folder), NO_HUB_S), str(folder), cause)


@pytest.mark.parametrize("source", ["foo", "a/b/c", "org/name@", "a b/c"])
def test_what_is_neither_a_folder_nor_an_id_is_said_to_be_so(source: str, shipped: Path) -> None:
    _assert_shipped_instead(load(source, NO_HUB_S), f"={source} ", "form org/name or org/name@rev")


@pytest.mark.parametrize("source", ["/no/such", "./no/such", "~/no/such", "no\\such", "../no"])
def test_what_looks_like_a_path_is_never_asked_of_a_hub(
    source: str, shipped: Path, hub: Hub
) -> None:
    _assert_shipped_instead(load(source, NO_HUB_S), "is missing")
    assert hub.paths == []


def test_a_path_that_no_system_accepts_is_no_crash(shipped: Path) -> None:
    _assert_shipped_instead(load("/a\0b", NO_HUB_S))
    _assert_shipped_instead(load("/" + "a" * 5000, NO_HUB_S))
    _assert_shipped_instead(load("~no-such-user/x", NO_HUB_S))


def test_without_any_checkpoint_seasonal_naive_forecasts_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_problem: MakeProblem
) -> None:
    monkeypatch.setattr(registry, "SHIPPED", tmp_path / "none")
    for source in (None, str(tmp_path / "other")):
        loaded = load(source, NO_HUB_S)
        assert loaded.info.model == loaded.forecaster.name == "seasonal_naive"
        assert loaded.info.source == "builtin"
        assert loaded.reason is not None
        assert "bundled checkpoint" in loaded.reason
        assert f"{tmp_path / 'none'} is missing" in loaded.reason
        assert loaded.reason.endswith(". seasonal_naive forecasts instead.")
        assert np.isfinite(loaded.forecaster.predict([make_problem()], 96)).all()
    assert f"GRID_CHRONOS_MODEL={tmp_path / 'other'}" in (loaded.reason or "")


def test_the_name_of_the_configured_model_is_known_without_loading_it(
    folder: Path, shipped: Path, hub: Hub
) -> None:
    (folder / "grid.json").write_text('{"name": "chosen"}')
    for source in (None, "shipped", str(folder), f"{folder}/", "org/tiny", f"org/tiny@{COMMIT}"):
        assert configured_name(source) == load(source, HUB_S).info.model
    assert configured_name("/no/such") == "chronos:such"


def test_a_model_is_loaded_once(folder: Path) -> None:
    assert load(str(folder), NO_HUB_S) is load(str(folder), NO_HUB_S)


def test_a_replaced_checkpoint_is_loaded_again(folder: Path) -> None:
    before = load(str(folder), NO_HUB_S)
    weights = load_file(folder / "model.safetensors")
    save_file(
        {name: weight * 0.5 for name, weight in weights.items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    assert load(str(folder), NO_HUB_S).info.revision != before.info.revision


def test_a_repaired_folder_is_used_at_once(folder: Path, shipped: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    _truncated(folder)
    assert load(str(folder), NO_HUB_S).info.source == "shipped"
    (folder / "model.safetensors").write_bytes(whole)
    assert load(str(folder), NO_HUB_S).reason is None


def test_a_failed_load_is_remembered_for_a_while_and_then_tried_again(
    hub: Hub, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.mood = "fails"
    first = load("org/tiny", HUB_S)
    hub.mood = "good"
    asked = len(hub.paths)
    assert load("org/tiny", HUB_S).reason == first.reason
    assert len(hub.paths) == asked
    later = time.monotonic() + registry.RETRY_AFTER_S + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert load("org/tiny", HUB_S).reason is None


def test_a_hub_model_is_downloaded_with_its_commit_and_only_what_is_needed(
    hub: Hub, shipped: Path, folder: Path
) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"never")
    hub.folder = folder
    loaded = load("org/tiny", HUB_S)
    assert loaded.reason is None
    assert loaded.info.model == "chronos:tiny"
    assert loaded.info.source == "org/tiny"
    assert loaded.info.revision == COMMIT
    assert not any("pytorch_model.bin" in path for path in hub.paths)


def test_a_pinned_model_that_was_downloaded_needs_no_hub(hub: Hub, shipped: Path) -> None:
    source = f"org/tiny@{COMMIT}"
    assert load(source, HUB_S).info.revision == COMMIT
    registry.loaded_models.clear()
    asked = len(hub.paths)
    hub.mood = "hangs"
    loaded = load(source, NO_HUB_S)
    assert (loaded.reason, loaded.info.revision) == (None, COMMIT)
    assert len(hub.paths) == asked


def load_in_vain(hub: Hub, asked: str) -> tuple[Loaded, float]:
    """What is loaded while the hub does not deliver, and within how many seconds.

    A busy machine may not even ask it in 5 s, and then has more.
    """
    known = len(hub.paths)
    for within_s in (NO_HUB_S, 12 * NO_HUB_S):
        registry.loaded_models.clear()
        began = time.monotonic()
        loaded = load("org/tiny", within_s)
        assert time.monotonic() - began < within_s + 10
        if any(asked in path for path in hub.paths[known:]):
            return loaded, within_s
    raise AssertionError(f"It did not ask for {asked}: {hub.paths[known:]}")


@pytest.mark.parametrize("mood", ["hangs", "fails"])
def test_a_downloaded_model_is_used_while_the_hub_is_down(
    mood: str, hub: Hub, shipped: Path
) -> None:
    load("org/tiny", HUB_S)
    hub.mood = mood
    loaded, _ = load_in_vain(hub, "org/tiny")
    assert (loaded.reason, loaded.info.revision) == (None, COMMIT)


@pytest.mark.parametrize("mood", ["hangs", "trickles"])
def test_a_hub_that_does_not_deliver_ends_in_time(mood: str, hub: Hub, shipped: Path) -> None:
    hub.mood = mood
    load(None, NO_HUB_S)  # what falling back costs is not measured here
    loaded, within_s = load_in_vain(hub, "/resolve/" if mood == "trickles" else "/revision/")
    _assert_shipped_instead(loaded, f"the hub did not deliver org/tiny within {within_s:g} s")


def test_a_hub_that_cannot_be_reached_is_named(
    hub: Hub, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{unused.getsockname()[1]}")
        loaded = load("org/tiny", HUB_S)
    _assert_shipped_instead(loaded, "the hub cannot be reached, and org/tiny was never downloaded")


def test_an_offline_process_says_so(
    hub: Hub, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    _assert_shipped_instead(load("org/tiny", HUB_S), "the hub cannot be reached")
    assert hub.paths == []


def test_an_unknown_id_or_revision_is_named(hub: Hub, shipped: Path) -> None:
    _assert_shipped_instead(load("org/other", HUB_S), "the hub has no model org/other")
    _assert_shipped_instead(load("org/tiny@v9", HUB_S), "the hub has no revision v9 of org/tiny")


def test_a_hub_model_of_another_kind_is_refused(hub: Hub, shipped: Path, folder: Path) -> None:
    _bert(folder)
    hub.folder = folder
    _assert_shipped_instead(load("org/tiny", HUB_S), "of another kind (bert)")


class _Fails:
    name = "chronos:fails"

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        raise ModelUnusable("out of memory")


class _GivesInfinity:
    name = "chronos:infinity"

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        return np.full((len(problems), 10, steps, 3), np.inf, np.float32)


@pytest.mark.parametrize(
    ("forecaster", "cause"),
    [(_Fails(), "out of memory"), (_GivesInfinity(), "values that are not finite")],
)
def test_a_model_that_fails_while_running_is_replaced_by_the_next(
    forecaster: _Fails | _GivesInfinity,
    cause: str,
    folder: Path,
    shipped: Path,
    make_problem: MakeProblem,
) -> None:
    loaded = replace(load(str(folder), NO_HUB_S), forecaster=forecaster)
    answer = predict_with_fallback(loaded, [make_problem()], 96)
    assert answer.info.model == "chronos:grid-tiny"
    assert answer.reason is not None
    assert f"GRID_CHRONOS_MODEL={folder} cannot be used: " in answer.reason
    assert cause in answer.reason
    assert np.isfinite(answer.quantiles).all()


def test_a_bundled_checkpoint_that_fails_falls_back_to_seasonal_naive(
    shipped: Path, tmp_path: Path, make_problem: MakeProblem
) -> None:
    path = shipped / "model.safetensors"
    weights = load_file(path)
    save_file(
        {name: weight * np.nan for name, weight in weights.items()}, path, metadata={"format": "pt"}
    )
    loaded = load(str(tmp_path / "none"), NO_HUB_S)
    assert loaded.info.source == "shipped"
    answer = predict_with_fallback(loaded, [make_problem()], 96)
    assert answer.info.model == "seasonal_naive"
    assert answer.reason is not None
    assert f"{tmp_path / 'none'} is missing" in answer.reason
    assert (
        "The bundled checkpoint cannot be used: it returned values that are not finite"
        in answer.reason
    )
    assert np.isfinite(answer.quantiles).all()


def test_a_series_without_any_value_is_no_failure_of_the_model(
    folder: Path, make_problem: MakeProblem
) -> None:
    problem = make_problem()
    problem.context[4] = np.nan
    answer = predict_with_fallback(load(str(folder), NO_HUB_S), [problem], 96)
    assert answer.reason is None
    assert np.isnan(answer.quantiles[0, 4]).all()


def test_choosing_a_model_does_not_import_torch() -> None:
    code = "import sys, grid_assets.forecasting.models.registry; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
