"""A small warehouse to learn from, and small trees. Imports no test, so that a separate process can
use it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NoReturn

import numpy as np
from pydantic import SecretStr

from grid_assets.forecasting.boosting import building
from grid_assets.forecasting.boosting.training import Lesson, Recipe, Trees
from grid_assets.forecasting.boosting.trees import TreeFolder
from grid_assets.forecasting.learning import decisions, trial
from grid_assets.forecasting.learning.challenger import Method
from grid_assets.forecasting.learning.comparing import Comparison
from grid_assets.forecasting.learning.decisions import Decision
from grid_assets.forecasting.training_record import Record
from grid_assets.halfhours import Window
from grid_assets.series import INTENSITY, SERIES
from grid_assets.warehouse.connection import connect, write_transaction
from grid_assets_tests.forecasting import issues
from grid_assets_tests.forecasting.boosting.made_up import renewables
from grid_assets_tests.forecasting.issues import DAY, T
from grid_assets_tests.forked import PROCESSES

FIRST = T - 96 * DAY

START = datetime(2022, 5, 1, tzinfo=UTC)
SPAN = Window(START, START + timedelta(days=150))

SMALL = Recipe(
    every=24,
    every_without=24,
    median=Trees(0.5, 8, 7, 0.3),
    edge=Trees(0.0, 5, 7, 0.3),
)


@cache
def record() -> Record:
    """Five months in which wind decides, with an outlook from the day before."""
    random = np.random.default_rng(3)
    hours = np.arange(SPAN.half_hours) / 2
    wind = 9000 + 5000 * np.sin(hours / 31) + 2500 * np.sin(hours / 7 + 1)
    demand = 28_000 + 5000 * np.sin((hours - 9) * np.pi / 12)
    solar = np.clip(6000 * np.sin((hours % 24 - 6) * np.pi / 12), 0, None)
    outlook = np.stack([demand, wind, 0.25 * wind, solar]).astype(np.float32)
    history = np.full((len(SERIES), len(hours)), 5.0, np.float32)
    history[0] = 300 - 3 * renewables(outlook) + 6 * random.normal(size=len(hours))
    issued = np.asarray((np.arange(len(hours)) // 48 - 1) * 48.0 + 18, np.float64)
    return Record(START, history, outlook, issued)


METHOD = Method(SMALL, (INTENSITY,), record, (SPAN,))


def build(folder: Path, recipe: Recipe = SMALL, trained_to: str = "2025-01-01T00:00:00Z") -> None:
    """Trees that know nothing of the warehouse."""
    about = {"name": "gradient_boosting", "trained_to": trained_to}
    building.build([Lesson(record(), (SPAN,))], recipe, folder, 1, about, (INTENSITY,))


def spoil(folder: Path) -> None:
    """Make trees overdo whatever they say, by 100 g too."""
    card = json.loads((folder / "grid.json").read_text())
    for ensemble in card["ensembles"][INTENSITY].values():
        ensemble["usual"] = [8 * usual + 100 for usual in ensemble["usual"]]
    (folder / "grid.json").write_text(json.dumps(card))


def put_in_use(url: SecretStr, folder: Path) -> str:
    """Promote the trees of a folder without a trial; their revision."""
    trees = TreeFolder(folder)
    with connect(url) as connection, write_transaction(connection, decisions.TRIALS):
        decisions.store(connection, trees)
        measured = Comparison(T, T, 1, ())
        decisions.add(
            connection,
            Decision("promoted", "By a test.", "none", "test", trees.revision, 0, FIRST, measured),
        )
    return trees.revision


def fill(url: SecretStr, first: datetime = FIRST) -> None:
    """Telemetry from `first` to `T`."""
    issues.fill(url, first, T)


def hold(
    url: SecretStr, home: Path, *, run_id: str = "a trial", method: Method = METHOD
) -> Decision:
    """A trial at `T`, of trees that take a second to grow."""
    return trial.hold(url, trial.Order(run_id, "manual", home, T, 1, method))


def start_trial_that_is_killed(url: str, home: str) -> None:
    """A trial in a process of its own, which is killed when it grows its trees."""
    process = PROCESSES.Process(target=_hold_killed, args=(url, home), daemon=True)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def _hold_killed(url: str, home: str) -> None:
    hold(SecretStr(url), Path(home), run_id="killed", method=waiting(_die))


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def waiting(wait: Callable[[], None]) -> Method:
    """The method, which calls `wait` before it grows trees."""

    def read() -> Record:
        wait()
        return record()

    return replace(METHOD, record=read)
