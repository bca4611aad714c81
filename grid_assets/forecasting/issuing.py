"""Making forecasts: what each model says at given issue times, stored.

Belongs here: the order read, predict, recalibrate, judge, write. Does not belong here: which issue
times (`due`), and each of those steps (`context`, `models`, `bands`, `store`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby

import numpy as np

from grid_assets.forecasting import store
from grid_assets.forecasting.bands import finalise
from grid_assets.forecasting.calibration import Margins
from grid_assets.forecasting.context import (
    MOST_MISSING,
    IssueContext,
    KnownValues,
    add_neso_forecast,
)
from grid_assets.forecasting.horizon import FORECAST_STEPS, HORIZON
from grid_assets.forecasting.issue_times import current_issue_time
from grid_assets.forecasting.models.forecaster import CONTEXT, Problem, Values
from grid_assets.forecasting.models.registry import (
    Loaded,
    ModelForecast,
    ModelInfo,
    predict_with_fallback,
    seasonal_naive,
)
from grid_assets.forecasting.retention import refuse_thinned
from grid_assets.forecasting.store import Issue
from grid_assets.halfhours import HALF_HOUR, Window
from grid_assets.warehouse.connection import Connection, write_transaction


class FutureIssue(ValueError):
    """An issue time lies in the future: what will be published before it is not known yet."""


@dataclass
class Issued:
    """What one call did."""

    issues: int = 0
    """Issue times with a forecast."""
    rows_read: int = 0
    rows_written: int = 0
    refused: dict[datetime, str] = field(default_factory=dict)
    """Reason by issue time that has no forecast."""
    model: str | None = None
    """The model that forecast in the place of the configured one, or that one."""


@dataclass(frozen=True, slots=True)
class IssueOptions:
    """What holds for every issue of one call.

    `configured` is the name of the model that was asked for: where another one stands in, the
    issue of the configured one is recorded as refused with the reason. `judge` looks at the staged
    forecasts of a day, which reach over the window, and may raise to undo the day.
    """

    now: datetime
    load: Callable[[], Loaded]
    configured: str
    use_neso: bool
    backtest: bool
    judge: Callable[[Connection, Window], None]


def issue(
    connection: Connection, days: Window, times: Sequence[datetime], options: IssueOptions
) -> Issued:
    """Forecast at each of `times` (UTC half-hours, ascending) and store what came out.

    NESO's forecasts captured in `days`, and all newer than those stored, are stored beside them.
    Each UTC day of issue is one transaction. Raises `FutureIssue` and `DayIsThinned`.
    """
    latest = current_issue_time(options.now)
    for at in times:
        if at > latest:
            raise FutureIssue(
                f"{at:%Y-%m-%d %H:%M} UTC lies in the future; the newest forecast that can be made "
                f"now starts at {latest:%H:%M}."
            )
    done = Issued()
    if times:
        refuse_thinned(connection, times[0])  # before a model is loaded
    for _, day_times in groupby(times, key=lambda at: at.date()):
        _issue_day(connection, list(day_times), options, done)
    with write_transaction(connection, "forecast.predictions"):
        done.rows_written += store.copy_neso_forecasts(connection, days, options.now)
        if options.backtest:  # many new rows at once: without statistics scoring them takes seconds
            connection.execute("SELECT forecast.refresh_statistics()")
    return done


def _issue_day(
    connection: Connection, times: Sequence[datetime], options: IssueOptions, done: Issued
) -> None:
    day, configured = times[0].date(), options.configured
    # where actuals are late, a context ends, and so starts, that much before the issue
    window = Window(times[0] - (CONTEXT + MOST_MISSING) * HALF_HOUR, times[-1])
    known = KnownValues(connection, window)
    shown = [known.context_of(at) for at in times]
    if options.use_neso:
        shown = [add_neso_forecast(connection, each) for each in shown]
    asked = [each for each in shown if each.refused is None]
    issues: list[Issue] = []
    for steps, some in _by_steps(asked).items():
        answers = _answers(options.load(), some, steps)
        for answer in answers:
            margins = store.margins_of_day(connection, answer.info, day, again=options.backtest)
            issues += _issues(answer, some, margins)
        done.model = answers[0].info.model
        if done.model != configured:
            issues += [
                Issue(_not_loaded(configured), each, refused_reason=answers[0].reason)
                for each in some
            ]
    refused = [each for each in shown if each.refused is not None]
    issues += [Issue(_not_loaded(configured), each) for each in refused]
    span = Window(times[0], times[-1] + HORIZON * HALF_HOUR)
    with write_transaction(connection, "forecast.predictions"):
        refuse_thinned(connection, times[0])  # again: thinning takes turns with this
        store.record_models(connection, _used(issues), options.now)
        done.rows_written += store.publish(
            connection, issues, options.now, lambda staged: options.judge(staged, span)
        )
    done.issues += len(asked)
    done.rows_read += known.rows_read
    done.refused.update({each.issued_at: each.refused or "" for each in refused})


def _by_steps(asked: Sequence[IssueContext]) -> dict[int, list[IssueContext]]:
    """The issues by how far a model is asked: always as far as if each were asked alone."""
    groups: dict[int, list[IssueContext]] = {}
    for each in asked:
        needed = HORIZON + each.late_steps
        steps = FORECAST_STEPS if needed <= FORECAST_STEPS else HORIZON + MOST_MISSING
        groups.setdefault(steps, []).append(each)
    return groups


def _answers(loaded: Loaded, asked: Sequence[IssueContext], steps: int) -> list[ModelForecast]:
    """Raw quantiles (issues, 10, 96, 3) of the model and of seasonal naive."""
    problems: list[Problem] = [each.problem for each in asked if each.problem is not None]
    answers = [predict_with_fallback(loaded, problems, steps)]
    naive = seasonal_naive()
    if answers[0].info.model != naive.info.model:
        answers.append(ModelForecast(naive.forecaster.predict(problems, steps), naive.info, None))
    return [replace(answer, quantiles=_stored_steps(answer.quantiles, asked)) for answer in answers]


def _stored_steps(quantiles: Values, asked: Sequence[IssueContext]) -> Values:
    """Without the half-hours before each issue, which are forecast because actuals are late."""
    return np.stack(
        [
            quantiles[row, :, each.late_steps : each.late_steps + HORIZON]
            for row, each in enumerate(asked)
        ]
    )


def _issues(answer: ModelForecast, asked: Sequence[IssueContext], margins: Margins) -> list[Issue]:
    stored = finalise(answer.quantiles, margins.values[None])
    return [
        Issue(answer.info, each, stored[row], answer.quantiles[row], margins.issues, answer.reason)
        for row, each in enumerate(asked)
    ]


def _not_loaded(configured: str) -> ModelInfo:
    """The configured model where it was not asked, or could not be loaded."""
    return ModelInfo(configured, source="configured", revision="not loaded")


def _used(issues: Sequence[Issue]) -> list[ModelInfo]:
    """The models that forecast."""
    return list({each.info.model: each.info for each in issues if each.raw is not None}.values())
