"""The accuracy of a model on recorded half-hours that it was not trained on.

A model is given the half-hours that ended by the issue time, as if each were published
immediately. In operation the newest are late, so live errors at short leads are somewhat larger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grid_assets.forecasting.horizon import FORECAST_STEPS, HORIZON, HORIZON_TIME, QUANTILES
from grid_assets.forecasting.issue_times import issue_times_at
from grid_assets.forecasting.models.forecaster import CONTEXT, Forecaster, Problem, Values
from grid_assets.forecasting.recorded_series import read_recorded
from grid_assets.halfhours import HALF_HOUR, Window, api_time, days_window
from grid_assets.series import BUCKET_OF_STEP, FUELS, INTENSITY, LEAD_BUCKETS, SERIES

CHOOSE: Final = days_window(date(2025, 11, 1), date(2025, 12, 15))
"""For choosing between checkpoints and settings, any number of times. Training ends before it."""

REPORT: Final = days_window(date(2025, 12, 16), date(2026, 1, 15))
"""For the figures on the model card. Choosing a model by this span would flatter them."""

STRIDE: Final = timedelta(hours=1)
"""Time between issues: neighbours differ little, and a span takes well under two minutes."""

ALL_LEADS: Final = "all"
"""The value of `Score.lead_bucket` for all leads together."""

Read = Callable[[datetime, datetime], Values]


@dataclass(frozen=True)
class ProblemSet:
    """Forecasts to make, and the actuals to measure them by, of shape (problems, 10, 96)."""

    span: Window
    stride: timedelta
    problems: tuple[Problem, ...]
    actual: Values


@dataclass(frozen=True, slots=True)
class Score:
    """Errors of one series and lead bucket over `n` half-hours, in the series' unit.

    `bias` is forecast minus actual; `wape` is the sum of absolute errors divided by the sum of
    actuals, None if that is 0. `pinball` is the mean over the three quantiles and `coverage_80` the
    share of actuals from p10 to p90; both are None for a model without a band. All are None if `n`
    is 0.
    """

    series: str
    lead_bucket: str
    n: int
    mae: float | None
    bias: float | None
    wape: float | None
    pinball: float | None
    coverage_80: float | None


@dataclass(frozen=True)
class Evaluation:
    """One model's scores over a span: by series, for each lead bucket and for all leads."""

    model: str
    span: Window
    stride: timedelta
    issues: int
    scores: tuple[Score, ...]

    def score(self, series: str, lead_bucket: str = ALL_LEADS) -> Score | None:
        """The score of a series and bucket, None if the model does not forecast the series."""
        for score in self.scores:
            if (score.series, score.lead_bucket) == (series, lead_bucket):
                return score
        return None

    def document(self) -> dict[str, Any]:
        """The evaluation for JSON, rounded to the digits that a repeated run reproduces."""
        return {
            "model": self.model,
            "from": api_time(self.span.start),
            "to": api_time(self.span.end),
            "stride_hours": self.stride / timedelta(hours=1),
            "issues": self.issues,
            "scores": [
                {
                    name: round(value, 4) if isinstance(value, float) else value
                    for name, value in asdict(score).items()
                }
                for score in self.scores
            ],
        }


class Persistence:
    """The last known value for every half-hour, without a band: a reference to beat."""

    name = "persistence"

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        predicted = np.full((len(problems), len(SERIES), steps, len(QUANTILES)), np.nan, np.float32)
        for number, problem in enumerate(problems):
            for row, values in enumerate(problem.context):
                known = values[~np.isnan(values)]
                if known.size:
                    predicted[number, row, :, QUANTILES.index(0.5)] = known[-1]
        return predicted


def issue_times(span: Window, stride: timedelta = STRIDE) -> list[datetime]:
    """Issue times, from the start of the span, whose whole horizon lies in it."""
    return list(issue_times_at(span, stride, span.end - HORIZON_TIME))


def problem_set(span: Window, stride: timedelta = STRIDE, read: Read = read_recorded) -> ProblemSet:
    """The same problems for every model; `read` returns the values between two instants.

    Each problem holds only a copy of the values before its issue time, so that a model cannot see
    later ones. The copy may reach back to before the span.
    """
    history = read(span.start - CONTEXT * HALF_HOUR, span.end)
    problems, actual = [], []
    for issued_at in issue_times(span, stride):
        first = (issued_at - span.start) // HALF_HOUR
        end = first + CONTEXT
        context = history[:, first:end].copy()
        problems.append(Problem(context, issued_at - CONTEXT * HALF_HOUR))
        actual.append(history[:, end : end + HORIZON])
    return ProblemSet(span, stride, tuple(problems), np.stack(actual))


def evaluate(forecaster: Forecaster, problem_set: ProblemSet) -> Evaluation:
    """The scores of a model's own quantiles. Raises `ModelUnusable`."""
    predicted = forecaster.predict(problem_set.problems, FORECAST_STEPS)[:, :, :HORIZON]
    return Evaluation(
        forecaster.name,
        problem_set.span,
        problem_set.stride,
        len(problem_set.problems),
        tuple(score_predictions(predicted, problem_set.actual)),
    )


def score_predictions(predicted: Values, actual: Values) -> Iterator[Score]:
    """Scores by series and lead bucket, of arrays (problems, 10, 96, 3) and (problems, 10, 96).

    Half-hours without an actual are left out. A series without any median counts as one that the
    model does not forecast. Raises `ValueError` if only some medians of a series are missing:
    missing forecasts would make its errors look small.
    """
    buckets = np.array(BUCKET_OF_STEP)
    for row, series in enumerate(SERIES):
        missing = np.isnan(predicted[:, row, :, QUANTILES.index(0.5)])
        if missing.all():
            continue
        if missing.any():
            raise ValueError(
                f"{missing.sum()} medians of {series} are missing, so its errors would look too "
                "small. A model must forecast a series at every step or not at all."
            )
        for bucket in (*LEAD_BUCKETS, ALL_LEADS):
            steps = (buckets == bucket) | (bucket == ALL_LEADS)
            yield _score(series, bucket, predicted[:, row, steps], actual[:, row, steps])


def _score(series: str, bucket: str, predicted: Values, actual: Values) -> Score:
    known = ~np.isnan(actual)
    truth = actual[known].astype(float)
    quantiles = predicted[known].astype(float)
    if not truth.size:
        return Score(series, bucket, 0, None, None, None, None, None)
    error = quantiles[:, QUANTILES.index(0.5)] - truth
    total = np.abs(truth).sum()
    banded = not np.isnan(quantiles).any()
    inside = (quantiles[:, 0] <= truth) & (truth <= quantiles[:, -1])
    return Score(
        series,
        bucket,
        truth.size,
        float(np.abs(error).mean()),
        float(error.mean()),
        float(np.abs(error).sum() / total) if total else None,
        _pinball(quantiles, truth) if banded else None,
        float(inside.mean()) if banded else None,
    )


def _pinball(quantiles: npt.NDArray[np.float64], truth: npt.NDArray[np.float64]) -> float:
    levels = np.array(QUANTILES)
    above = truth[:, None] - quantiles
    return float(np.maximum(levels * above, (levels - 1) * above).mean())


def format_table(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    """Lines of text: carbon intensity by lead and model, then each fuel.

    All evaluations are of the same problems.
    """
    first = evaluations[0]
    hours = first.stride / timedelta(hours=1)
    yield f"{first.span}: {first.issues:,} forecasts of 48 h, one every {hours:g} h"
    width = max(len(evaluation.model) for evaluation in evaluations)
    yield ""
    yield "Carbon intensity, gCO2/kWh"
    yield (
        f"{'lead':<8}{'model':<{width}}{'n':>9}{'MAE':>8}{'bias':>8}{'WAPE':>9}{'pinball':>9}"
        f"{'in 80 % band':>14}"
    )
    for bucket in (*LEAD_BUCKETS, ALL_LEADS):
        for evaluation in evaluations:
            if (score := evaluation.score(INTENSITY, bucket)) is not None:
                yield (
                    f"{bucket:<8}{evaluation.model:<{width}}{score.n:>9,}"
                    f"{_figure(score.mae):>8}{_figure(score.bias):>8}{_percent(score.wape):>9}"
                    f"{_figure(score.pinball):>9}{_percent(score.coverage_80):>14}"
                )
    yield ""
    yield "Shares of generation, mean absolute error in percentage points, all leads"
    yield f"{'fuel':<10}" + "".join(
        f"{evaluation.model:>{width + 2}}" for evaluation in evaluations
    )
    for fuel in FUELS:
        scores_of_fuel = [evaluation.score(fuel) for evaluation in evaluations]
        yield f"{fuel:<10}" + "".join(
            f"{_figure(score.mae if score else None):>{width + 2}}" for score in scores_of_fuel
        )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"
