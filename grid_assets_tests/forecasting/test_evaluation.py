"""The input of a model when it is measured, and how its errors are counted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from grid_assets.cli.evaluate import evaluate as evaluate_command
from grid_assets.forecasting.evaluation import (
    CHOOSE,
    REPORT,
    Evaluation,
    Persistence,
    issue_times,
    measure,
    problem_set,
)
from grid_assets.forecasting.evaluation_table import format_table
from grid_assets.forecasting.horizon import FORECAST_STEPS, HORIZON
from grid_assets.forecasting.models.forecaster import (
    CONTEXT,
    Forecaster,
    ModelUnusable,
    Problem,
    Values,
)
from grid_assets.forecasting.questions import Questions
from grid_assets.forecasting.recorded_series import read_recorded
from grid_assets.forecasting.tally import ALL_LEADS, Score, Tally
from grid_assets.halfhours import HALF_HOUR, Window
from grid_assets.replay.recording import RECORDED_UNTIL
from grid_assets.series import INTENSITY, LEAD_BUCKETS, SERIES

START = datetime(2025, 11, 1, tzinfo=UTC)
FOUR_DAYS = Window(START, START + timedelta(days=4))
SIX_HOURS = timedelta(hours=6)


class Fixed:
    """Answers with a given array."""

    name = "fixed"

    def __init__(self, answer: Values) -> None:
        self.answer = answer

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        return self.answer


def counted(start: datetime, end: datetime) -> Values:
    """Values that tell their half-hour: the number of half-hours since `START`, in each series."""
    first = round((start - START) / HALF_HOUR)
    numbers = np.arange(first, first + round((end - start) / HALF_HOUR), dtype=np.float32)
    return np.tile(numbers, (len(SERIES), 1))


def band(median: Values, below: float = 0, above: float = 0) -> Values:
    return np.stack([median - below, median, median + above], axis=-1)


def scores(predicted: Values, actual: Values) -> list[Score]:
    tally = Tally(1)
    tally.add([predicted], actual, [START.date()] * len(actual))
    return list(tally.scores(0))


def by_bucket(predicted: Values, actual: Values, series: str = INTENSITY) -> dict[str, Score]:
    return {
        score.lead_bucket: score for score in scores(predicted, actual) if score.series == series
    }


def measured_on_four_days(forecaster: Forecaster) -> Evaluation:
    questions = Questions(issue_times(FOUR_DAYS, SIX_HOURS), read_recorded)
    [found] = measure([forecaster], questions, FOUR_DAYS, SIX_HOURS)
    return found


def answer_of_four_days(predicted: Values) -> Values:
    """Quantiles of the 96 half-hours, continued to all that a model is asked for."""
    beyond = ((0, 0), (0, 0), (0, FORECAST_STEPS - HORIZON), (0, 0))
    return np.pad(predicted, beyond, mode="edge")


def flat(problems: int, value: float) -> Values:
    return np.full((problems, len(SERIES), HORIZON), value, np.float32)


def test_the_spans_follow_each_other_and_end_with_the_recording() -> None:
    assert CHOOSE.end == REPORT.start
    assert REPORT.end == RECORDED_UNTIL


def test_every_target_lies_in_the_span() -> None:
    times = issue_times(REPORT)
    assert times[0] == REPORT.start
    assert times[-1] + HORIZON * HALF_HOUR == REPORT.end
    assert len(times) == 29 * 24 + 1
    assert issue_times(Window(START, START + timedelta(hours=47))) == []


def test_a_model_is_shown_the_week_that_ends_at_the_issue_and_predicts_what_follows() -> None:
    asked = problem_set(FOUR_DAYS, SIX_HOURS, counted)
    assert len(asked.problems) == 9
    for issued_at, problem, actual in zip(
        issue_times(FOUR_DAYS, SIX_HOURS), asked.problems, asked.actual, strict=True
    ):
        at = (issued_at - START) // HALF_HOUR
        assert problem.start == issued_at - timedelta(days=7)
        assert problem.context.shape == (len(SERIES), CONTEXT)
        assert (problem.context[:, 0] == at - CONTEXT).all()
        assert (problem.context[:, -1] == at - 1).all()
        assert (actual[:, 0] == at).all()
        assert (actual[:, -1] == at + HORIZON - 1).all()
        assert problem.neso is None


@pytest.mark.parametrize("number", [0, 4, 8])
def test_nothing_at_or_after_the_issue_time_can_be_seen(number: int) -> None:
    issued_at = issue_times(FOUR_DAYS, SIX_HOURS)[number]

    def spoiled(start: datetime, end: datetime) -> Values:
        values = read_recorded(start, end)
        later = values[:, max(0, (issued_at - start) // HALF_HOUR) :]
        later[:] = np.random.default_rng(1).uniform(0, 500, later.shape)
        return values

    real = problem_set(FOUR_DAYS, SIX_HOURS)
    noisy = problem_set(FOUR_DAYS, SIX_HOURS, spoiled)
    context = noisy.problems[number].context

    assert context.tobytes() == real.problems[number].context.tobytes()
    assert context.base is None  # later values do not lie in the memory behind it either
    assert not np.array_equal(noisy.actual[number], real.actual[number])


def test_a_perfect_forecast_has_no_error() -> None:
    asked = problem_set(FOUR_DAYS, SIX_HOURS)
    known = np.nan_to_num(asked.actual)
    perfect = measured_on_four_days(Fixed(answer_of_four_days(band(known))))

    assert len(perfect.whole.scores) == len(SERIES) * (len(LEAD_BUCKETS) + 1)
    for score in perfect.whole.scores:
        assert score.n > 0
        assert (score.mae, score.bias, score.pinball, score.coverage_80) == (0, 0, 0, 1)


def test_errors_are_counted_as_the_formulas_say() -> None:
    actual = flat(1, 100)
    actual[0, :, 1::2] = 50
    score = by_bucket(band(flat(1, 80), below=10, above=15), actual)[ALL_LEADS]

    # Errors of -20 and 30; bands of 70 to 95, which hold neither.
    assert (score.n, score.mae, score.bias) == (96, 25, 5)
    assert score.wape == pytest.approx(25 / 75)
    assert score.coverage_80 == 0
    above = (0.1 * 30 + 0.5 * 20 + 0.9 * 5) / 3
    below = (0.9 * 20 + 0.5 * 30 + 0.1 * 45) / 3
    assert score.pinball == pytest.approx((above + below) / 2)


def test_quantiles_that_cross_or_leave_their_range_are_counted_as_they_would_be_stored() -> None:
    asked = problem_set(FOUR_DAYS, SIX_HOURS)
    shape = (len(asked.problems), len(SERIES), FORECAST_STEPS, 3)
    answer = np.random.default_rng(3).normal(60, 80, shape).astype(np.float32)
    assert (answer < 0).any()
    assert (np.diff(answer) < 0).any()
    found = measured_on_four_days(Fixed(answer)).score(INTENSITY)
    stored = np.clip(np.sort(answer[:, :, :HORIZON], axis=-1), 0, 1000)
    assert found == by_bucket(stored, asked.actual)[ALL_LEADS]


def test_the_edges_of_the_band_are_inside_it() -> None:
    actual = flat(1, 100)
    assert by_bucket(band(flat(1, 90), above=10), actual)[ALL_LEADS].coverage_80 == 1
    assert by_bucket(band(flat(1, 110), below=10), actual)[ALL_LEADS].coverage_80 == 1
    assert by_bucket(band(flat(1, 90), above=9.5), actual)[ALL_LEADS].coverage_80 == 0


def test_errors_are_counted_in_the_bucket_of_their_lead() -> None:
    actual = flat(2, 100)
    predicted = actual.copy()
    predicted[:, 0, 6:12] += 12
    found = by_bucket(band(predicted), actual)

    assert {name: score.mae for name, score in found.items()} == {
        "0-3h": 0, "3-6h": 12, "6-12h": 0, "12-24h": 0, "24-48h": 0, ALL_LEADS: 0.75
    }  # fmt: skip
    assert [score.n for score in found.values()] == [12, 12, 24, 48, 96, 192]


def test_half_hours_without_an_actual_are_left_out() -> None:
    actual = flat(1, 100)
    actual[0, 0, :6] = np.nan
    actual[0, 0, 6] = np.nan
    found = by_bucket(band(flat(1, 90)), actual)

    assert found["0-3h"] == Score(INTENSITY, "0-3h", 0, None, None, None, None, None)
    assert (found["3-6h"].n, found["3-6h"].mae) == (5, 10)


def test_a_forecast_that_is_missing_here_and_there_is_refused() -> None:
    answer = answer_of_four_days(band(flat(9, 90)))
    answer[0, 0, 3] = np.nan
    with pytest.raises(ModelUnusable, match="1 medians of carbon_intensity are missing"):
        measured_on_four_days(Fixed(answer))


def test_a_series_that_a_model_does_not_forecast_has_no_score() -> None:
    predicted = band(flat(1, 90))
    predicted[:, 1:] = np.nan
    assert {score.series for score in scores(predicted, flat(1, 100))} == {INTENSITY}


def test_a_fuel_that_is_never_burnt_has_no_relative_error() -> None:
    score = by_bucket(band(flat(1, 0)), flat(1, 0), "coal")[ALL_LEADS]
    assert (score.mae, score.wape) == (0, None)


def test_persistence_repeats_the_last_value_that_is_known() -> None:
    context = counted(START, START + timedelta(days=7))
    context[0, -3:] = np.nan
    predicted = Persistence().predict([Problem(context, START)], HORIZON)

    assert predicted.shape == (1, len(SERIES), HORIZON, 3)
    assert (predicted[0, 0, :, 1] == CONTEXT - 4).all()
    assert (predicted[0, 1:, :, 1] == CONTEXT - 1).all()


def test_a_model_without_a_band_has_no_coverage() -> None:
    score = measured_on_four_days(Persistence()).score(INTENSITY)
    assert score is not None
    assert score.mae is not None
    assert (score.pinball, score.coverage_80) == (None, None)


@pytest.fixture(scope="module")
def measured() -> Evaluation:
    return measured_on_four_days(Persistence())


def test_the_table_names_every_lead_and_series(measured: Evaluation) -> None:
    lines = list(format_table([measured, measured]))
    for name in (*LEAD_BUCKETS, ALL_LEADS):
        assert sum(line.startswith(f"{name} ") for line in lines) == 2
    for fuel in SERIES[1:]:
        assert sum(line.startswith(f"{fuel} ") for line in lines) == 1


def test_measuring_again_gives_the_same_document(measured: Evaluation) -> None:
    again = measured_on_four_days(Persistence()).document()
    assert json.dumps(again, allow_nan=False) == json.dumps(measured.document())
    assert again["issues"] == 9
    assert again["scores"][0].keys() == {
        "series", "lead_bucket", "n", "mae", "bias", "wape", "pinball", "coverage_80"
    }  # fmt: skip


def test_scores_are_recorded_from_the_report_span_alone(tmp_path: Path) -> None:
    for arguments in (["--span", "choose"], ["--span", "report", "--stride", "6"]):
        run = CliRunner().invoke(
            evaluate_command, ["--model", str(tmp_path), "--write", *arguments]
        )
        assert run.exit_code == 2
        assert "--write needs --span report" in run.output


@pytest.mark.slow
def test_a_model_that_cannot_be_loaded_ends_the_command_with_one_sentence(tmp_path: Path) -> None:
    missing = tmp_path / "none"
    run = CliRunner().invoke(evaluate_command, ["--model", str(missing)])
    assert run.exit_code == 1
    # Nothing is measured instead, though a forecast would fall back to another model.
    said = [line for line in run.output.splitlines() if "so far" not in line]
    assert len(said) == 1
    assert said[0].startswith(f"Error: --model {missing} cannot be measured: ")
