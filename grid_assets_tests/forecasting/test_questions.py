"""What models get to see of files, and that nothing later than the issue is among it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from grid_assets.forecasting.evaluation import measure
from grid_assets.forecasting.history_files import read_history, read_outlook
from grid_assets.forecasting.horizon import FORECAST_STEPS, HORIZON
from grid_assets.forecasting.models import candidates
from grid_assets.forecasting.models.forecaster import CONTEXT, MAX_MISSING, Values
from grid_assets.forecasting.questions import AT_ONCE, Question, Questions
from grid_assets.halfhours import HALF_HOUR, Window, api_time
from grid_assets.series import OUTLOOK, SERIES
from grid_assets_tests.forecasting.made_files import (
    HALF_HOURS,
    START,
    Row,
    unchanged,
    write_history,
    write_outlook,
)

WEEK = timedelta(weeks=1)
NOON = START + timedelta(days=9, hours=12)


def counted(start: datetime, end: datetime) -> Values:
    """Values that tell their half-hour, in each series: its number since `START`."""
    first = round((start - START) / HALF_HOUR)
    numbers = np.arange(first, first + round((end - start) / HALF_HOUR), dtype=np.float32)
    return np.tile(numbers, (len(SERIES), 1))


def asked(at: datetime, late: int = 0, hidden: tuple[int, int] | None = None) -> Question | None:
    """One question; the half-hours from and to these distances before it are missing."""

    def read(start: datetime, end: datetime) -> Values:
        values = counted(start, end)
        if hidden:
            now = (at - start) // HALF_HOUR
            values[:, now - hidden[0] : now - hidden[1]] = np.nan
        return values

    return Questions([at], read, None, late).ask(at)


@pytest.mark.parametrize("late", [0, 1, 5, 20])
def test_the_newest_half_hours_are_late_and_are_forecast_too(late: int) -> None:
    question = asked(NOON, late)
    assert question is not None
    now = (NOON - START) // HALF_HOUR
    assert question.late_steps == late
    assert question.problem.context.shape == (len(SERIES), CONTEXT)
    assert (question.problem.context[:, -1] == now - late - 1).all()
    assert question.problem.start == NOON - (CONTEXT + late) * HALF_HOUR
    assert (question.actual[:, 0] == now).all()
    assert (question.actual[:, -1] == now + HORIZON - 1).all()
    assert question.steps == (FORECAST_STEPS if late <= 16 else HORIZON + MAX_MISSING)
    assert question.problem.context.base is None  # nor do later values lie in the memory behind it


def test_a_hole_before_the_issue_is_like_late_half_hours() -> None:
    question = asked(NOON, late=1, hidden=(4, 0))
    assert question is not None
    assert question.late_steps == 4


@pytest.mark.parametrize(
    ("missing", "late", "possible"),
    [(84, 0, True), (85, 0, False), (83, 1, True), (84, 1, False)],
)
def test_an_issue_with_too_much_missing_is_left_out(
    missing: int, late: int, possible: bool
) -> None:
    def read(start: datetime, end: datetime) -> Values:
        values = counted(start, end)
        now = (NOON - start) // HALF_HOUR
        values[0, now - 200 : now - 200 + missing] = np.nan
        return values

    questions = Questions([NOON, NOON + WEEK], read, None, late)
    found = [question.issued_at for batch in questions.batches() for question in batch]
    assert found == [NOON, NOON + WEEK][0 if possible else 1 :]
    assert questions.possible() == len(found)


def test_issues_come_in_order_in_batches_of_the_same_steps() -> None:
    times = [NOON + number * HALF_HOUR for number in range(AT_ONCE + 20)]

    def read(start: datetime, end: datetime) -> Values:
        values = counted(start, end)
        now = (NOON - start) // HALF_HOUR
        values[:, now + 10 : now + 40] = np.nan
        return values

    batches = list(Questions(times, read).batches())
    assert [question.issued_at for batch in batches for question in batch] == times
    assert all(len({question.steps for question in batch}) == 1 for batch in batches)
    assert max(map(len, batches)) <= AT_ONCE
    assert len({question.steps for batch in batches for question in batch}) == 2


def test_the_outlook_covers_the_context_and_all_steps(tmp_path: Path) -> None:
    outlook = read_outlook(write_outlook(tmp_path / "outlook.csv"))
    history = read_history(write_history(tmp_path / "history.csv"))
    question = Questions([NOON], history.read, outlook, 1).ask(NOON)
    assert question is not None
    shown, neso = question.problem.outlook, question.problem.neso
    assert shown is not None
    assert neso is not None
    assert question.reached is not None
    assert shown.shape == (len(OUTLOOK), CONTEXT + FORECAST_STEPS)
    # At noon, the publication of 09:00 reaches to the end of tomorrow: 36 hours.
    assert np.isnan(shown[:, CONTEXT + 1 :]).all(axis=0).tolist() == [False] * 72 + [True] * 39
    assert question.reached.tolist() == [True] * 72 + [False] * 24
    assert neso.shape == (1 + HORIZON,)
    assert not np.isnan(neso).any()
    before = question.issued_at - timedelta(days=8)
    early = Questions([before], history.read, outlook).ask(before)
    assert early is None  # a week of history is not there yet


def test_without_any_value_there_is_no_outlook(tmp_path: Path) -> None:
    file = tmp_path / "outlook.csv"
    file.write_text(
        "issued_at_utc,period_start_utc,series,value\n"
        "2024-02-01T00:00Z,2024-02-02T00:00Z,wind_mw,1\n"
    )
    question = Questions([NOON], counted, read_outlook(file)).ask(NOON)
    assert question is not None
    assert question.problem.outlook is None
    assert question.problem.neso is None
    assert question.reached is not None
    assert not question.reached.any()


QUICK = {"seasonal_naive", "neso", "persistence"}
"""Models without weights; a test of any other is not a unit test."""


@pytest.mark.parametrize(
    "name",
    [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
        for name in candidates.CANDIDATES
    ],
)
@pytest.mark.parametrize("late", [0, 1])
def test_nothing_later_than_the_issue_changes_a_forecast(
    tmp_path: Path, name: str, late: int
) -> None:
    """Neither later half-hours nor what is published later: not a bit of it."""
    known_to, now = api_time(NOON - late * HALF_HOUR), api_time(NOON)

    def later_history(row: Row) -> Row:
        return row if row[0] < known_to else [row[0], "999", *["0"] * 8, "100"]

    def later_outlook(row: Row) -> Row:
        return row if row[0] <= now else [*row[:3], "777"]

    times = [NOON + hours * timedelta(hours=1) for hours in range(-36, 24, 6)]
    found: list[dict[datetime, bytes]] = []
    for changes in ((unchanged, unchanged), (later_history, later_outlook)):
        history = read_history(write_history(tmp_path / "history.csv", changes[0]))
        outlook = read_outlook(write_outlook(tmp_path / "outlook.csv", changes[1]))
        predictions: dict[datetime, bytes] = {}

        def keep(
            batch: Sequence[Question],
            predicted: Sequence[Values],
            kept: dict[datetime, bytes] = predictions,
        ) -> None:
            for question, quantiles in zip(batch, predicted[0], strict=True):
                assert not np.isnan(quantiles[0, :, 1]).all()
                kept[question.issued_at] = quantiles.tobytes()

        questions = Questions(times, history.read, outlook, late)
        span = Window(START, START + HALF_HOURS * HALF_HOUR)
        measure([candidates.make(name, use_neso=True)], questions, span, WEEK, keep)
        found.append(predictions)
    real, perturbed = found
    assert {at: real[at] == perturbed[at] for at in times} == {at: at <= NOON for at in times}
