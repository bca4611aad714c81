"""The accuracy of a model on recorded half-hours that it was not trained on.

A model is given the half-hours that ended by the issue time, as if each were published
immediately. In operation the newest are late, so live errors at short leads are somewhat larger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grid_assets.forecasting.bands import within_range
from grid_assets.forecasting.horizon import HORIZON, HORIZON_TIME, QUANTILES
from grid_assets.forecasting.issue_times import issue_times_at
from grid_assets.forecasting.models.forecaster import (
    CONTEXT,
    Forecaster,
    ModelUnusable,
    Problem,
    Values,
)
from grid_assets.forecasting.models.neso import NesoForecast
from grid_assets.forecasting.questions import Question, Questions, Read
from grid_assets.forecasting.recorded_series import read_recorded
from grid_assets.forecasting.tally import ALL_LEADS, MEDIAN, Difference, Score, Tally
from grid_assets.halfhours import HALF_HOUR, Window, api_time, days_window
from grid_assets.series import INTENSITY, SERIES

CHOOSE: Final = days_window(date(2025, 11, 1), date(2025, 12, 15))
"""For choosing between checkpoints and settings, any number of times. Training ends before it."""

REPORT: Final = days_window(date(2025, 12, 16), date(2026, 1, 15))
"""For the figures on the model card. Choosing a model by this span would flatter them."""

STRIDE: Final = timedelta(hours=1)
"""Time between issues: neighbours differ little, and a span takes well under two minutes."""


@dataclass(frozen=True)
class ProblemSet:
    """Forecasts to make, and the actuals to measure them by, of shape (problems, 10, 96)."""

    span: Window
    stride: timedelta
    problems: tuple[Problem, ...]
    actual: Values


@dataclass(frozen=True)
class Block:
    """One model's scores over some half-hours: by series, for each lead bucket and for all leads.

    `differences` are those of carbon intensity from the first of the models that are compared.
    """

    scores: tuple[Score, ...]
    differences: tuple[Difference, ...] = ()

    def score(self, series: str, lead_bucket: str = ALL_LEADS) -> Score | None:
        """The score of a series and bucket, None if the model does not forecast the series."""
        for score in self.scores:
            if (score.series, score.lead_bucket) == (series, lead_bucket):
                return score
        return None

    def difference(self, lead_bucket: str) -> Difference | None:
        """The difference at a lead, None if no half-hour is common."""
        for difference in self.differences:
            if difference.lead_bucket == lead_bucket:
                return difference
        return None

    def document(self) -> dict[str, Any]:
        """The block for JSON, rounded to the digits that a repeated run reproduces."""
        document: dict[str, Any] = {"scores": [_rounded(score) for score in self.scores]}
        if self.differences:
            document["differences"] = [_rounded(each) for each in self.differences]
        return document


@dataclass(frozen=True)
class Evaluation:
    """One model's scores over a span.

    `common` covers the half-hours for which all models that are compared have a forecast and, if
    there is an outlook, that it reaches; None without an outlook, if those are all half-hours.
    """

    model: str
    span: Window
    stride: timedelta
    issues: int
    whole: Block
    common: Block | None = None
    common_name: str = ""

    def score(self, series: str, lead_bucket: str = ALL_LEADS) -> Score | None:
        """The score over all half-hours of a series and bucket."""
        return self.whole.score(series, lead_bucket)

    def document(self) -> dict[str, Any]:
        """The evaluation for JSON."""
        document: dict[str, Any] = {
            "model": self.model,
            "from": api_time(self.span.start),
            "to": api_time(self.span.end),
            "stride_hours": self.stride / timedelta(hours=1),
            "issues": self.issues,
            **self.whole.document(),
        }
        if self.common is not None:
            document[self.common_name.replace(" ", "_")] = self.common.document()
        return document


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


def issue_times_of_days(days: Window, stride: timedelta) -> list[datetime]:
    """Issue times at a stride, counted from the start of the days, to their end."""
    return [days.start + number * stride for number in range(-(-(days.end - days.start) // stride))]


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


def measure(
    forecasters: Sequence[Forecaster],
    questions: Questions,
    span: Window,
    stride: timedelta,
    predicted_batch: Callable[[Sequence[Question], Sequence[Values]], object] = lambda *_: None,
) -> list[Evaluation]:
    """The scores of models on the same issues; the first is the one that others are compared with.

    Each model gets the issues in order, a batch at a time. `predicted_batch` gets each batch and,
    for each model, its quantiles (issues, 10, 96, 3), ordered and within the range of each series,
    as they are counted. Raises `ModelUnusable`.
    """
    whole, common = Tally(len(forecasters)), Tally(len(forecasters))
    issues, left_out = 0, questions.has_outlook
    for batch in questions.batches():
        predicted = [_predict(forecaster, batch) for forecaster in forecasters]
        actual = np.stack([question.actual for question in batch])
        days = [question.issued_at.date() for question in batch]
        counted = np.all([~np.isnan(quantiles[..., MEDIAN]) for quantiles in predicted], axis=0)
        counted[:, 1:] = False  # carbon intensity only
        for row, question in enumerate(batch):
            if question.reached is not None:
                counted[row] &= question.reached
        whole.add(predicted, actual, days)
        common.add(predicted, actual, days, counted)
        left_out |= not counted[:, 0].all()
        issues += len(batch)
        predicted_batch(batch, predicted)
    names = "where the outlook reaches", "where every model has a forecast"
    return [
        Evaluation(
            forecaster.name,
            span,
            stride,
            issues,
            Block(tuple(whole.scores(number)), _differences(whole, number)),
            Block(
                tuple(score for score in common.scores(number) if score.series == INTENSITY),
                _differences(common, number),
            )
            if left_out
            else None,
            names[0] if questions.has_outlook else names[1],
        )
        for number, forecaster in enumerate(forecasters)
    ]


def _differences(tally: Tally, model: int) -> tuple[Difference, ...]:
    return tuple(tally.differences(model)) if model else ()


def _predict(forecaster: Forecaster, batch: Sequence[Question]) -> Values:
    """The quantiles of the 96 half-hours after each issue, ordered and in range."""
    raw = forecaster.predict([question.problem for question in batch], batch[0].steps)
    late = [question.late_steps for question in batch]
    predicted = np.stack(
        [values[:, end : end + HORIZON] for values, end in zip(raw, late, strict=True)]
    )
    if not isinstance(forecaster, NesoForecast):  # which ends where NESO's publications end
        try:
            _refuse_holes(np.isnan(predicted[..., MEDIAN]))
        except ValueError as error:
            raise ModelUnusable(f"{forecaster.name} failed while forecasting: {error}") from None
    return within_range(predicted)


def _refuse_holes(missing: npt.NDArray[np.bool_]) -> None:
    """Raise `ValueError` if a row of medians, (issues, 10, half-hours), is missing in part."""
    holes = missing.any(axis=-1) & ~missing.all(axis=-1)
    if holes.any():
        issue, row = np.argwhere(holes)[0]
        raise ValueError(
            f"{missing[issue, row].sum()} medians of {SERIES[row]} are missing, so its errors "
            "would look too small. A model must forecast a series at every step or not at all."
        )


def _rounded(figures: Score | Difference) -> dict[str, Any]:
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in asdict(figures).items()
    }
