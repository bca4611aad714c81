"""Issues forecasts: reads the contexts, predicts, recalibrates, judges and stores.

`due` decides the issue times; `context`, `models`, `bands` and `store` carry out the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import groupby

import numpy as np

from grid_assets.forecasting import store
from grid_assets.forecasting.bands import finalise
from grid_assets.forecasting.blending.issuing import Blended, blend
from grid_assets.forecasting.calibration import Margins
from grid_assets.forecasting.context import (
    IssueContext,
    KnownValues,
    add_neso_forecast,
    add_outlook,
)
from grid_assets.forecasting.horizon import HORIZON, steps_to_forecast
from grid_assets.forecasting.issue_times import current_issue_time
from grid_assets.forecasting.models.beside import NoForecast, predict_boosted
from grid_assets.forecasting.models.forecaster import CONTEXT, MAX_MISSING, Problem, Values
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
from grid_assets.warehouse.clocks import TOLERANCE, database_clock, offset_text
from grid_assets.warehouse.connection import Connection, write_transaction

Boost = Callable[[Sequence[Problem], int], ModelForecast | NoForecast]
"""Forecasts problems beside the configured model."""


class FutureIssue(ValueError):
    """An issue time is in the future."""


@dataclass
class Issued:
    """The outcome of one call."""

    issues: int = 0
    """Issue times with a forecast."""
    rows_read: int = 0
    rows_written: int = 0
    refused: dict[datetime, str] = field(default_factory=dict)
    """The reason for each issue time without a forecast."""
    model: str | None = None
    """The model that forecast: the configured one, or its stand-in."""
    shown: str | None = None
    """The model that is shown first: the blend, if there is one."""


@dataclass(frozen=True, slots=True)
class IssueOptions:
    """The options for every issue of one call.

    `configured` is the name of the configured model: if another one stands in, the issue of the
    configured model is recorded as refused with the reason. `judge` checks the staged forecasts of
    a day, which reach beyond the window, and may raise to undo the day. `day_done` is called with
    each day that is stored. `boost` forecasts beside the configured model.
    """

    now: datetime
    load: Callable[[], Loaded]
    configured: str
    use_neso: bool
    backtest: bool
    judge: Callable[[Connection, Window], None]
    day_done: Callable[[date], None] = lambda day: None
    boost: Boost | None = predict_boosted


def issue(
    connection: Connection, days: Window, times: Sequence[datetime], options: IssueOptions
) -> Issued:
    """Forecast at each of `times` (UTC half-hours, ascending) and store the results.

    NESO's forecasts captured in `days`, and all that are newer than the stored ones, are stored as
    well. Each UTC day of issue is one transaction. Raises `FutureIssue` and `DayIsThinned`.
    """
    database_now = database_clock(connection)
    latest = current_issue_time(options.now)
    for at in times:
        if at > latest:
            raise FutureIssue(
                f"{at:%Y-%m-%d %H:%M} UTC is in the future, and what will be published before it "
                f"is not known yet. Start at {latest:%H:%M} or earlier."
            )
        if at > current_issue_time(database_now + TOLERANCE):
            raise FutureIssue(
                f"{at:%Y-%m-%d %H:%M} UTC is in the future by the clock of the database, which "
                f"this machine is {offset_text(options.now - database_now)}. Nothing was "
                "forecast. Set the clock that is wrong; the next run forecasts."
            )
    # What was made "later" than now would seem to know what has not been loaded yet.
    options = replace(options, now=min(options.now, database_now))
    done = Issued()
    if times:
        refuse_thinned(connection, times[0])  # before a model is loaded
    for day, day_times in groupby(times, key=lambda at: at.date()):
        _issue_day(connection, list(day_times), options, done)
        options.day_done(day)
    with write_transaction(connection, "forecast.predictions"):
        done.rows_written += store.copy_neso_forecasts(connection, days, options.now)
        if options.backtest:  # after many new rows, scoring takes seconds without statistics
            connection.execute("SELECT forecast.refresh_statistics()")
    return done


def _issue_day(
    connection: Connection, times: Sequence[datetime], options: IssueOptions, done: Issued
) -> None:
    # If actuals are late, a context ends, and so starts, earlier by up to MAX_MISSING half-hours.
    window = Window(times[0] - (CONTEXT + MAX_MISSING) * HALF_HOUR, times[-1])
    known = KnownValues(connection, window)
    contexts = [known.context_of(at) for at in times]
    if options.use_neso:
        contexts = [add_neso_forecast(connection, context) for context in contexts]
    usable = [context for context in contexts if context.refused is None]
    refused = [context for context in contexts if context.refused is not None]
    issues = [Issue(_not_loaded(options.configured), context) for context in refused]
    for steps, group in _group_by_steps(usable).items():
        issues += _forecast_group(connection, group, steps, options, done)
    if options.backtest:
        # A model that is new here is back-tested. What the others said at the time stays.
        past = [at for at in times if at < current_issue_time(options.now)]
        kept = store.issued_on_time(connection, past, options.configured)
        issues = [each for each in issues if (each.info.model, each.context.issued_at) not in kept]
    span = Window(times[0], times[-1] + HORIZON * HALF_HOUR)
    with write_transaction(connection, "forecast.predictions"):
        refuse_thinned(connection, times[0])  # again, now that thinning cannot run at the same time
        store.record_models(connection, _models_of(issues), options.now)
        done.rows_written += store.publish(
            connection, issues, options.now, lambda staged: options.judge(staged, span)
        )
    done.issues += len(usable)
    done.rows_read += known.rows_read
    done.refused.update({context.issued_at: context.refused or "" for context in refused})


def _group_by_steps(contexts: Sequence[IssueContext]) -> dict[int, list[IssueContext]]:
    """The contexts by number of steps to forecast: each gets as many as it would get alone."""
    groups: dict[int, list[IssueContext]] = {}
    for context in contexts:
        groups.setdefault(steps_to_forecast(context.late_steps), []).append(context)
    return groups


def _forecast_group(
    connection: Connection,
    contexts: Sequence[IssueContext],
    steps: int,
    options: IssueOptions,
    done: Issued,
) -> list[Issue]:
    """Issues of every model, and refused ones of a model that could not forecast."""
    contexts = add_outlook(connection, contexts, steps)
    forecasts = _predict(options.load(), contexts, steps)
    day = contexts[0].issued_at.date()
    issues: list[Issue] = []
    actuals, again = store.PastActuals(connection, day), options.backtest
    blended: Blended | None = None
    if options.boost is not None:
        boosted = options.boost([each.problem for each in contexts if each.problem], steps)
        if isinstance(boosted, ModelForecast):
            boosted = _stored_part(boosted, contexts)
            forecasts.append(boosted)
        else:
            issues += _refuse(boosted, contexts)
        found = blend(connection, contexts, forecasts[0], boosted, actuals, again=again)
        if isinstance(found, NoForecast):
            issues += _refuse(found, contexts)
        else:
            blended = found
            forecasts.append(blended.forecast)
    for forecast in forecasts:
        margins = store.margins_of_day(connection, forecast.info, day, again=again, actuals=actuals)
        if blended is not None and forecast is blended.forecast:
            made = _finalise(forecast, blended.contexts, margins)
            issues += [
                replace(issue, blend=record)
                for issue, record in zip(made, blended.records, strict=True)
            ]
        else:
            issues += _finalise(forecast, contexts, margins)
    done.model = forecasts[0].info.model
    done.shown = blended.forecast.info.model if blended else done.model
    if done.model != options.configured:
        not_loaded, reason = _not_loaded(options.configured), forecasts[0].reason
        issues += [Issue(not_loaded, context, refused_reason=reason) for context in contexts]
    return issues


def _predict(loaded: Loaded, contexts: Sequence[IssueContext], steps: int) -> list[ModelForecast]:
    """Raw quantiles (issues, 10, 96, 3) of the model and of seasonal naive."""
    problems: list[Problem] = [
        context.problem for context in contexts if context.problem is not None
    ]
    forecasts = [predict_with_fallback(loaded, problems, steps)]
    naive = seasonal_naive()
    if forecasts[0].info.model != naive.info.model:
        quantiles = naive.forecaster.predict(problems, steps)
        forecasts.append(ModelForecast(quantiles, naive.info, None))
    return [_stored_part(forecast, contexts) for forecast in forecasts]


def _stored_part(forecast: ModelForecast, contexts: Sequence[IssueContext]) -> ModelForecast:
    return replace(forecast, quantiles=_drop_late_steps(forecast.quantiles, contexts))


def _drop_late_steps(quantiles: Values, contexts: Sequence[IssueContext]) -> Values:
    """Drop the half-hours before each issue, which are forecast only because actuals are late."""
    return np.stack(
        [
            quantiles[row, :, context.late_steps : context.late_steps + HORIZON]
            for row, context in enumerate(contexts)
        ]
    )


def _finalise(
    forecast: ModelForecast, contexts: Sequence[IssueContext], margins: Margins
) -> list[Issue]:
    stored, raw = finalise(forecast.quantiles, margins.values[None]), forecast.quantiles
    return [
        Issue(forecast.info, context, stored[row], raw[row], margins.issues, forecast.reason)
        for row, context in enumerate(contexts)
    ]


def _refuse(none: NoForecast, contexts: Sequence[IssueContext]) -> list[Issue]:
    """Issues of a model that could not forecast, with the reason."""
    return [Issue(none.info, context, refused_reason=none.reason) for context in contexts]


def _not_loaded(configured: str) -> ModelInfo:
    """The configured model if it was not needed, or could not be loaded."""
    return ModelInfo(configured, source="configured", revision="not loaded")


def _models_of(issues: Sequence[Issue]) -> list[ModelInfo]:
    """The models with a forecast among the issues."""
    return list(
        {issue.info.model: issue.info for issue in issues if issue.raw is not None}.values()
    )
