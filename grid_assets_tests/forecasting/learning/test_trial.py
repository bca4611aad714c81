"""Trials on a real warehouse: small trees are grown, measured, and promoted only if better."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.forecasting.boosting import libraries
from grid_assets.forecasting.boosting.trees import TREES
from grid_assets.forecasting.learning import trial
from grid_assets.forecasting.models.beside import predict_boosted
from grid_assets.forecasting.models.champion import TRAINING, read_champion
from grid_assets.health import learning
from grid_assets.series import LEAD_BUCKETS
from grid_assets.warehouse.connection import connect
from grid_assets_tests.conftest import _drop, _named
from grid_assets_tests.forecasting import issues
from grid_assets_tests.forecasting.boosting.made_up import STEPS, problem
from grid_assets_tests.forecasting.issues import DAY, T
from grid_assets_tests.forecasting.learning import worlds
from grid_assets_tests.forecasting.learning.worlds import hold
from grid_assets_tests.live import STAMP

pytestmark = pytest.mark.slow

Rows = Callable[..., list[tuple[Any, ...]]]

DECIDED = "SELECT outcome, champion, challenger FROM forecast.model_trials ORDER BY trial"


@pytest.fixture(scope="module")
def poor_trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("poor") / "trees"
    worlds.build(folder)
    worlds.spoil(folder)
    return folder


@pytest.fixture(scope="module")
def seen(server: SecretStr, template: str, poor_trees: Path) -> Iterator[str]:
    """A live warehouse of 96 days whose trees in use are poor, to copy from."""
    name = f"{template}_seen"
    with connect(server) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
    url = _named(server, name)
    with connect(url) as connection:
        connection.execute(STAMP)
    worlds.fill(url)
    worlds.put_in_use(url, poor_trees)
    yield name
    _drop(server, name)


@pytest.fixture
def warehouse(new_database: Callable[[str | None], SecretStr], seen: str) -> SecretStr:
    return new_database(seen)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def issue(url: SecretStr, home: Path) -> None:
    """One forecast as an asset makes it."""
    with connect(url) as connection:
        champion = read_champion(connection, home)
    issues.issue(url, T, boost=partial(predict_boosted, champion=champion))


def issued(rows: Rows) -> tuple[Any, ...]:
    [found] = rows(
        "SELECT m.source, i.revision, i.fallback_reason FROM forecast.issues AS i "
        "JOIN forecast.models AS m USING (model, revision) WHERE i.model = 'gradient_boosting'"
    )
    return found


def test_better_trees_are_promoted_and_forecast_next_and_are_no_better_than_themselves(
    warehouse: SecretStr, home: Path, rows: Rows, poor_trees: Path
) -> None:
    decision = hold(warehouse, home)
    assert decision.outcome == "promoted", decision.reason
    [_, (outcome, champion, challenger)] = rows(DECIDED)
    assert (outcome, challenger) == ("promoted", decision.challenger)
    assert champion != challenger
    assert rows(
        "SELECT half_hours, learned_to, first_issue_at, last_issue_at, issues "
        "FROM forecast.model_trials WHERE run_id = 'a trial'"
    ) == [
        (
            63 * 48 + 24,
            T - timedelta(days=32, hours=12),
            T - timedelta(days=32, hours=12),
            T - timedelta(days=2, hours=15),
            240,
        )
    ]
    errors = rows("SELECT * FROM forecast.trial_errors ORDER BY n, lead_bucket")
    assert {row[1] for row in errors} == set(LEAD_BUCKETS)
    for _, _, n, blocks, before, after, difference, error in errors:
        assert (n % 240, blocks) == (0, 10)
        assert float(difference) == pytest.approx(float(after - before), abs=2e-4)
        assert float(difference) < -1.9 * float(error)
    assert rows(
        "SELECT status, rows_written, trigger FROM ops.etl_runs WHERE asset = %s", TRAINING
    ) == [("success", 1, "manual")]
    issue(warehouse, home)
    assert issued(rows) == ("warehouse", challenger, None)
    with connect(warehouse) as connection:
        [line] = learning.report(connection)
    assert line.startswith(f"trees         {challenger}, grown here, in use since ")

    again = hold(warehouse, home, run_id="again")
    assert (again.outcome, again.champion, again.challenger) == ("kept", challenger, challenger)
    assert again.reason.startswith("Not better by 1.9 standard errors at 0-3h +0.00 ± 0.00 g, 3-6h")
    assert rows("SELECT count(*) FROM forecast.weights") == [(2,)]


def test_what_is_killed_promotes_nothing_and_the_next_trial_goes_on(
    warehouse: SecretStr, home: Path, rows: Rows
) -> None:
    before = rows(DECIDED)
    worlds.start_trial_that_is_killed(warehouse.get_secret_value(), str(home))
    assert rows(DECIDED) == before
    assert rows("SELECT status FROM ops.etl_runs WHERE run_id = 'killed'") == [("running",)]
    assert hold(warehouse, home).outcome == "promoted"
    assert rows("SELECT run_id, status FROM ops.etl_runs ORDER BY 1") == [
        ("a trial", "success"),
        ("killed", "crashed"),
    ]


def test_a_second_trial_is_refused_and_a_return_to_the_bundled_trees_counts(
    warehouse: SecretStr, home: Path, rows: Rows
) -> None:
    growing, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        growing.set()
        assert go_on.wait(60)

    decided = []
    method = worlds.waiting(wait)
    thread = threading.Thread(
        target=lambda: decided.append(hold(warehouse, home, run_id="first", method=method))
    )
    thread.start()
    try:
        assert growing.wait(60)
        with pytest.raises(trial.TrialRunning, match=r"running already, since .*: process \d+ on "):
            hold(warehouse, home, run_id="second")
        poor = trial.revert(warehouse)
        assert trial.revert(warehouse) is None
    finally:
        go_on.set()
        thread.join()
    assert [decision.outcome for decision in decided] == ["kept"]
    assert decided[0].reason.startswith("Other trees were put in use during the trial. Better at")
    found = rows(DECIDED)
    assert [row[0] for row in found] == ["promoted", "reverted", "kept"]
    assert {row[1] for row in found[1:]} == {poor}
    assert rows("SELECT run_id, status FROM ops.etl_runs") == [("first", "success")]
    issue(warehouse, home)
    assert issued(rows)[0] == "shipped"
    with connect(warehouse) as connection:
        assert list(learning.report(connection)) == []


PIECES = [T - (42 + 12 * number) * DAY for number in range(8)]
"""Starts of spans of eight days between gaps of four: 64 days, too short to learn from."""


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([], "This warehouse holds 0 half-hours of carbon intensity"),
        (PIECES, "Only 0 of them can be learned from"),
    ],
    ids=["too few", "in pieces"],
)
def test_without_enough_data_the_refusal_is_a_row(
    new_database: Callable[[str | None], SecretStr],
    template: str,
    home: Path,
    pieces: list[datetime],
    reason: str,
) -> None:
    url = new_database(template)
    with connect(url) as connection:
        connection.execute(STAMP)
    for start in pieces:
        issues.fill(url, start, start + 8 * DAY)
    worlds.fill(url, T - 30 * DAY)
    decision = hold(url, home)
    assert decision.outcome == "refused"
    assert reason in decision.reason
    with psycopg.connect(url.get_secret_value()) as connection:
        found = connection.execute(
            "SELECT outcome, reason, challenger, issues, champion <> '' FROM forecast.model_trials"
        ).fetchall()
        assert found == [("refused", decision.reason, None, None, True)]
        assert connection.execute("SELECT status FROM ops.etl_runs").fetchall() == [("success",)]


def test_without_lightgbm_the_attempt_fails_with_the_cure(
    warehouse: SecretStr, home: Path, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libraries, "NEEDED", ("lightgbm_that_nobody_has",))
    with pytest.raises(libraries.LibrariesMissing, match=r"pip install -e '.\[trees\]'"):
        hold(warehouse, home)
    [(status, message)] = rows("SELECT status, error_message FROM ops.etl_runs")
    assert (status, "lightgbm_that_nobody_has are not installed" in message) == ("failed", True)
    with connect(warehouse) as connection:
        assert any("warning: training.gradient" in line for line in learning.report(connection))


REMOVE = "UPDATE forecast.weights SET card = (card::jsonb #- %s::text[])::text"
"""Takes a part of the card away."""

CHANGE = (
    "UPDATE forecast.weights SET card = "
    """replace(jsonb_set(card::jsonb, %s, '"here"')::text, '"here"', %s)"""
)
"""Changes a part of the card, also to NaN, which PostgreSQL's JSON has not and Python's reads."""

USUAL = "{ensembles,carbon_intensity,any.p50,usual}"


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (("UPDATE forecast.weights SET trees = 'cut off'",), "cannot be read: BadGzipFile"),
        (("UPDATE forecast.weights SET card = '{'",), "cannot be read: JSONDecodeError"),
        (("UPDATE forecast.weights SET card = replace(card, '\"hour\"', '\"rain\"')",), "features"),
        (("UPDATE forecast.weights SET card = replace(card, 'trained_to', 'x')",), "trained_to"),
        ((REMOVE, "{features}"), "KeyError: 'features'"),
        ((REMOVE, "{widths}"), "KeyError: 'widths'"),
        ((REMOVE, "{ensembles,carbon_intensity,any.p50}"), "KeyError: 'any.p50'"),
        ((CHANGE, USUAL, "[]"), "IndexError: "),
        ((CHANGE, "{widths,carbon_intensity,any}", "[]"), "IndexError: "),
        ((CHANGE, USUAL, "[NaN]"), "not finite"),
        ((CHANGE, "{trained_to}", '"2025-01-01T00:00:00"'), "trained_to has no time zone"),
        (("DELETE FROM forecast.weights",), "forecast.weights does not have them any more"),
    ],
    ids=[
        *("trees", "card", "version", "no-end"),
        *("no-features", "no-widths", "no-ensemble", "no-usual", "no-width", "nan", "no-zone"),
        "gone",
    ],
)
def test_trees_that_cannot_be_used_leave_the_forecast_to_the_bundled_ones(
    warehouse: SecretStr, home: Path, rows: Rows, damage: tuple[str, ...], reason: str
) -> None:
    issue(warehouse, home)
    assert issued(rows)[0] == "warehouse"
    rows(*damage)
    issue(warehouse, home)
    source, _, said = issued(rows)
    assert source == "shipped"
    assert said.startswith("The promoted trees ")
    assert reason in said
    assert said.endswith("The bundled ones forecast.")
    with connect(warehouse) as connection:
        incumbent = trial._incumbent(connection, home, timedelta(0))
    assert incumbent.bundled


def test_a_machine_copies_the_trees_once_and_again_if_its_copy_is_damaged(
    warehouse: SecretStr, home: Path, rows: Rows, poor_trees: Path
) -> None:
    def copy() -> Path:
        with connect(warehouse) as connection:
            champion = read_champion(connection, home)
        assert champion is not None
        assert champion.folder is not None, champion.fault
        return champion.folder / TREES

    file = copy()
    written = file.stat().st_mtime_ns
    assert copy().stat().st_mtime_ns == written
    file.write_bytes(b"")
    assert copy().read_bytes() == (poor_trees / TREES).read_bytes()
    shutil.rmtree(home)
    home.write_text("no folder")
    with connect(warehouse) as connection:
        champion = read_champion(connection, home)
    assert champion is not None
    forecast = predict_boosted([problem()], STEPS, champion)
    assert "cannot be written: Not a directory. The bundled ones" in (forecast.reason or "")


def test_only_the_newest_three_sets_of_trees_are_kept(
    warehouse: SecretStr, rows: Rows, poor_trees: Path
) -> None:
    for number in range(5):
        rows(
            "INSERT INTO forecast.weights (model, revision, trees, card) VALUES "
            "('gradient_boosting', %s, '', ''), ('another', %s, '', '')",
            f"r{number}",
            f"r{number}",
        )
    revision = worlds.put_in_use(warehouse, poor_trees)
    assert rows("SELECT model, revision FROM forecast.weights WHERE model <> 'another'") == [
        ("gradient_boosting", name) for name in ("r3", "r4", revision)
    ]
    assert rows("SELECT count(*) FROM forecast.weights") == [(8,)]
