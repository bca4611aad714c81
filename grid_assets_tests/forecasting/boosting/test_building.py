"""Growing trees: examples know only what was known, and the written network says what LightGBM
says."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from grid_assets.forecasting.boosting import building, training
from grid_assets.forecasting.boosting.places import issue_places
from grid_assets.forecasting.boosting.training import Lesson, Recipe, Trees
from grid_assets.forecasting.boosting.trees import TREES, TreeFolder
from grid_assets.forecasting.examples import inputs_at
from grid_assets.forecasting.models.boosted import GradientBoosting
from grid_assets.forecasting.models.forecaster import ModelUnusable
from grid_assets.forecasting.training_record import Record
from grid_assets.halfhours import Window
from grid_assets.series import INTENSITY, SERIES
from grid_assets_tests.forecasting.boosting.made_up import STEPS, problem, renewables

START = datetime(2022, 5, 1, tzinfo=UTC)
DAYS = 150
SMALL = Recipe(
    every=24,
    every_without=24,
    median=Trees(0.5, 12, 7, 0.3),
    edge=Trees(0.0, 8, 7, 0.3),
    fuel_median=Trees(0.5, 5, 7, 0.3),
    fuel_edge=Trees(0.0, 5, 7, 0.3),
)


def record() -> Record:
    """Half a year in which wind decides, with an outlook from the day before."""
    random = np.random.default_rng(3)
    n = DAYS * 48
    hours = np.arange(n) / 2
    wind = 9000 + 5000 * np.sin(hours / 31) + 2500 * np.sin(hours / 7 + 1)
    demand = 28_000 + 5000 * np.sin((hours - 9) * np.pi / 12)
    solar = np.clip(6000 * np.sin((hours % 24 - 6) * np.pi / 12), 0, None)
    outlook = np.stack([demand, wind, 0.25 * wind, solar]).astype(np.float32)
    history = np.full((len(SERIES), n), 5.0, np.float32)
    history[0] = 300 - 3 * renewables(outlook) + 6 * random.normal(size=n)
    history[SERIES.index("wind")] = renewables(outlook)
    issued = np.asarray((np.arange(n) // 48 - 1) * 48.0 + 18, np.float64)
    return Record(START, history, outlook, issued)


SPAN = Window(START, START + timedelta(days=DAYS))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("trees") / "built"
    made = record()
    building.build([Lesson(made, [SPAN])], SMALL, output, 1, {"name": "small"}, [INTENSITY, "wind"])
    return output


def test_an_example_knows_nothing_that_was_published_after_its_issue_time() -> None:
    made = record()
    issues = np.array([48 * 40 + 7, 48 * 90 + 30])
    late = np.array([1, 2])
    inputs, places = inputs_at(made, issues, late, STEPS)
    history, outlook = made.history.copy(), made.outlook.copy()
    for issue, behind in zip(issues, late, strict=True):
        history[:, issue - behind :] = -1  # not even what ended, but is late
        break
    outlook[:, made.issued > issues[0]] = -1
    changed = Record(START, history, outlook, made.issued)
    again, _ = inputs_at(changed, issues[:1], late[:1], STEPS)
    np.testing.assert_array_equal(again.context, inputs.context[:1])
    np.testing.assert_array_equal(again.outlook, inputs.outlook[:1])
    assert places[0, inputs.context.shape[2]] == issues[0] - late[0]


def test_the_folder_says_what_it_was_made_from(folder: Path) -> None:
    card = json.loads((folder / "grid.json").read_text())
    assert card["name"] == "small"
    assert set(card["ensembles"]) == {INTENSITY, "wind"}
    assert "outlook.p50.profile" in card["ensembles"][INTENSITY]
    assert card["recipe"]["every"] == SMALL.every
    assert all(width > 0 for width in card["widths"]["wind"]["any"])


def test_the_network_says_what_lightgbm_says(folder: Path) -> None:
    made = record()
    grown = dict(training.train_series([Lesson(made, [SPAN])], INTENSITY, SMALL, 1))
    random = np.random.default_rng(5)
    issues = issue_places(made, [SPAN], 60, with_outlook=True)
    examples = training.draw(made, issues, INTENSITY, SMALL, with_outlook=True)
    rows = examples.values[random.choice(len(examples.values), 400)]
    rows[random.random(rows.shape) < 0.1] = np.nan
    wind = np.zeros((1, rows.shape[1]), np.float32)
    said = TreeFolder(folder).run({INTENSITY: rows, "wind": wind})[INTENSITY]
    for name, ensemble in grown.items():
        np.testing.assert_allclose(said[name], ensemble.trees.predict(rows), atol=1e-4)


def test_trees_use_the_outlook(folder: Path) -> None:
    model = GradientBoosting(folder)
    asked = problem(noise=6)
    [seen], [blind] = (
        model.predict([each], STEPS)[:, 0] for each in (asked, replace(asked, outlook=None))
    )
    truth = 300 - 3 * renewables(asked.outlook)[-STEPS:]  # type: ignore[arg-type]
    assert np.abs(seen[:, 1] - truth).mean() < 0.6 * np.abs(blind[:, 1] - truth).mean()
    for quantiles in (seen, blind):
        assert (np.diff(quantiles, axis=1) >= 0).all()


def test_trees_of_another_version_are_refused(folder: Path, tmp_path: Path) -> None:
    for name in (TREES, "grid.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    card = json.loads((tmp_path / "grid.json").read_text())
    card["features"][0] = "pressure"
    (tmp_path / "grid.json").write_text(json.dumps(card))
    with pytest.raises(ModelUnusable, match=r"other features.*grid train --kind trees"):
        GradientBoosting(tmp_path).predict([problem()], STEPS)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (TREES, gzip.compress(b"changed"), "is not the file that grid.json was written for"),
        (TREES, b"changed", "cannot be read: BadGzipFile"),
        (TREES, gzip.compress(b"changed")[:-9], "cannot be read: EOFError"),
        (TREES, None, "cannot be read: FileNotFoundError"),
        ("grid.json", b"{", "grid.json cannot be read: JSONDecodeError"),
        ("grid.json", b"[]", "grid.json cannot be read: ValueError: it has no ensembles"),
        ("grid.json", None, "grid.json cannot be read: FileNotFoundError"),
    ],
    ids=[
        "trees-other",
        "trees-no-gzip",
        "trees-cut",
        "trees-gone",
        "card-cut",
        "card-list",
        "card-gone",
    ],
)
def test_a_damaged_folder_is_refused(
    folder: Path, tmp_path: Path, file: str, content: bytes | None, message: str
) -> None:
    for name in (TREES, "grid.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(ModelUnusable, match=message):
        GradientBoosting(tmp_path).predict([problem()], STEPS)
