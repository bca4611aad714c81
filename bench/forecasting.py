"""What forecasts cost: the work around the model, back-tests, and a cycle with its forecast.

Belongs here: forecasts by the shipped checkpoint, one by one and many at once. Does not belong
here: how good they are (`reference`), or how soon one follows telemetry (`arriving`).

A forecast by a model that had to stand in for the checkpoint is an error, not a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any, Final
from unittest.mock import patch

from bench.place import Place, Ran
from bench.results import BenchError, Result, at_least, at_most, told
from grid_assets.forecasting import issuing
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.forecasting.issue_times import current_issue_time
from grid_assets.forecasting.models import registry
from grid_assets.halfhours import DAY, HALF_HOUR, days_window
from grid_assets.replay.server import ReplayServer
from grid_assets.series import SERIES
from grid_assets.telemetry.checks import BLOCKING, judge
from grid_assets.warehouse.connection import Connection, connect

MOST_OVERHEAD_S: Final = 0.4
MOST_BACKTEST_S: Final = 120
LEAST_SPEEDUP: Final = 5

ROWS: Final = HORIZON * len(SERIES)
"""Predictions of one model at one issue time."""

STRIDE_HOURS: Final = 3
LOADED_BEFORE: Final = 15 * DAY
"""Telemetry before a back-test: a week of context for its first issue, and for single ones."""

NAMES: Final = (
    "backtest_s",
    "backtest_speedup",
    "forecast_overhead_s",
    "forecast_first_of_day_s",
    "tick_with_forecast_s",
    "tick_with_forecast_mb",
)

COMPLETE: Final = """
    SELECT i.issued_at FROM forecast.issues AS i JOIN forecast.predictions AS p
        ON p.model = i.model AND p.issued_at = i.issued_at
    WHERE i.model = %s AND i.issued_at >= %s AND i.issued_at < %s
      AND i.fallback_reason IS NULL AND i.refused_reason IS NULL
      AND i.intensity_to >= %s AND i.mix_to >= %s
    GROUP BY i.issued_at HAVING count(*) = %s
"""
STOOD_IN: Final = "SELECT fallback_reason FROM forecast.issues WHERE fallback_reason IS NOT NULL"
RUNS: Final = "SELECT count(*) FROM dagster.runs"
FORGET: Final = """
    WITH of_predictions AS (DELETE FROM forecast.predictions WHERE issued_at = %(at)s),
         of_issues AS (DELETE FROM forecast.issues WHERE issued_at = %(at)s)
    DELETE FROM forecast.calibration WHERE %(first_of_day)s AND issue_date = %(day)s
"""


def forecasting(
    place: Place,
    days: int,
    singles: int,
    issues: int,
    ticks: int,
    say: Callable[[str], None],
) -> list[Result]:
    """`NAMES`: a back-test of `days`, `issues` forecasts in this process, and `ticks` cycles."""
    today = datetime.now(UTC).date()
    first = today - days * DAY
    start = first - LOADED_BEFORE
    with ReplayServer() as replay:
        replay.control.withhold(ticks + 2, replay.now())
        say(f"Loading {(today - start).days} days")
        place.grid(replay, "backfill", *_span(start, today), history_start=start)
        results = _backtests(place, replay, first, today - DAY, singles, say)
        return [
            *results,
            *overhead(place, issues, say),
            *_ticks(place, replay, start, days, ticks, say),
        ]


def complete_issues(
    connection: Connection, model: str, first: datetime, end: datetime, used: datetime
) -> list[datetime]:
    """Issue times from `first` to before `end` at which the model itself made a whole forecast
    from telemetry up to `used` or later."""
    values = [model, first, end, used, used, ROWS]
    return [row[0] for row in connection.execute(COMPLETE.encode(), values).fetchall()]


def refuse_stand_in(place: Place) -> None:
    """Raises `BenchError` where any forecast was not by the shipped checkpoint."""
    for (reason,) in place.rows(STOOD_IN + " LIMIT 1"):
        raise BenchError(f"Another model forecast: {reason}")


def _backtests(
    place: Place,
    replay: ReplayServer,
    first: date,
    last: date,
    singles: int,
    say: Callable[[str], None],
) -> list[Result]:
    """Single issues first, on days before the others, where they find no forecasts to score."""
    alone = []
    for number in range(1, singles + 1):
        day = first - number * DAY
        ran = _backtest(place, replay, day, day, 24)
        alone.append(ran.seconds)
        say(f"back-test of one issue, {number} of {singles}: {ran.seconds:.2f} s")
    ran = _backtest(place, replay, first, last, STRIDE_HOURS)
    count = ((last - first).days + 1) * 24 // STRIDE_HOURS
    say(f"back-test of {count} issues: {ran.seconds:.1f} s")
    each = median(alone)
    return [
        at_most(
            "backtest_s",
            ran.seconds,
            "s",
            MOST_BACKTEST_S,
            f"{count} issues, {count * ROWS:,} rows, {ran.seconds / count:.2f} s an issue",
        ),
        at_least(
            "backtest_speedup",
            count * each / ran.seconds,
            "x",
            LEAST_SPEEDUP,
            f"one run for each issue: {each:.2f} s, median of {singles}",
        ),
    ]


def _backtest(
    place: Place, replay: ReplayServer, first: date, last: date, stride_hours: int
) -> Ran:
    """`grid backtest`, and a look at whether every issue of it is there."""
    ran = place.grid(
        replay,
        *("backtest", *_span(first, last)),
        history_start=first,
        backtest_stride_hours=stride_hours,
    )
    refuse_stand_in(place)
    window, model = days_window(first, last), registry.configured_name(None)
    expected = ((last - first).days + 1) * 24 // stride_hours
    with connect(place.warehouse) as connection:
        made = complete_issues(
            connection, model, window.start, window.end, window.start - HALF_HOUR
        )
    if len(made) != expected:
        raise BenchError(f"Of {expected} issues, {model} made {len(made)} with {ROWS} rows each")
    return ran


def overhead(place: Place, issues: int, say: Callable[[str], None]) -> list[Result]:
    """Around the bare `predict_quantiles` call: reading, features, calibration, checks, writing."""
    model = registry.load(None, 0)
    if model.reason is not None:
        raise BenchError(model.reason)
    now = datetime.now(UTC)
    _issue_again(place, model, now, first_of_day=False)  # the first call of a process is slower
    first, rest = (
        [_issue_again(place, model, now, first_of_day=new) for _ in range(rounds)]
        for new, rounds in ((True, min(issues, 5)), (False, issues))
    )
    around = [whole - bare for whole, bare in rest]
    bare = median(bare for _, bare in rest)
    (calibrated_on,) = place.row(
        "SELECT calibrated_on FROM forecast.issues WHERE model = %s AND issued_at = %s",
        model.info.model,
        current_issue_time(now),
    )
    say(f"one issue: {median(around):.3f} s around {bare:.3f} s of predict_quantiles")
    return [
        at_most(
            "forecast_overhead_s",
            median(around),
            "s",
            MOST_OVERHEAD_S,
            f"predict_quantiles: {bare:.3f} s; {issues} issues: {min(around):.3f} to "
            f"{max(around):.3f} s around it",
        ),
        told(
            "forecast_first_of_day_s",
            median(whole - bare for whole, bare in first),
            "s",
            f"the same where the day's margins are computed, from {calibrated_on} past issues",
        ),
    ]


def _issue_again(
    place: Place, model: registry.Loaded, now: datetime, *, first_of_day: bool
) -> tuple[float, float]:
    """Seconds of one issue made anew, and of the `predict_quantiles` call in it."""
    at = current_issue_time(now)
    with connect(place.warehouse) as connection:
        connection.execute(
            FORGET.encode(), {"at": at, "day": at.date(), "first_of_day": first_of_day}
        )
    with _timed_predictions() as bare:
        started = time.perf_counter()
        issued = issuing.issue(
            place.warehouse,
            days_window(now.date() - DAY, now.date()),
            [at],
            issuing.IssueOptions(
                now,
                lambda: model,
                model.info.model,
                use_neso=False,
                backtest=False,
                judge=lambda staged, span: _judge(staged, span, now),
            ),
        )
        seconds = time.perf_counter() - started
    with connect(place.warehouse) as connection:
        made = complete_issues(connection, model.info.model, at, at + HALF_HOUR, at - DAY)
    if issued.model != model.info.model or made != [at] or len(bare) != 1:
        raise BenchError(f"The issue of {at:%Y-%m-%d %H:%M} was not made by {model.info.model}")
    return seconds, bare[0]


def _judge(staged: Connection, span: Any, now: datetime) -> None:
    failed = [v for v in judge(staged, BLOCKING["forecast.predictions"], span, now) if not v.passed]
    if failed:
        raise BenchError(f"A check of the forecast failed: {failed[0].sentence}")


@contextmanager
def _timed_predictions() -> Iterator[list[float]]:
    """The seconds of each `predict_quantiles` call of Chronos-2 while the block lasts."""
    from chronos import Chronos2Pipeline

    seconds: list[float] = []
    bare = Chronos2Pipeline.predict_quantiles

    def timed(*arguments: Any, **options: Any) -> Any:
        started = time.perf_counter()
        answer = bare(*arguments, **options)
        seconds.append(time.perf_counter() - started)
        return answer

    with patch.object(Chronos2Pipeline, "predict_quantiles", timed):
        yield seconds


def _ticks(
    place: Place,
    replay: ReplayServer,
    start: date,
    days: int,
    ticks: int,
    say: Callable[[str], None],
) -> list[Result]:
    """`grid tick` right after a half-hour was released, its forecast included."""
    measured: list[Ran] = []
    for number in range(1, ticks + 1):
        (runs,) = place.row(RUNS)
        released = release(replay)
        ran = place.grid(replay, "tick", history_start=start, backtest_days=days)
        (more,) = place.row(RUNS)
        if more != runs + 1:
            raise BenchError(f"A cycle made {more - runs} Dagster runs, not one")
        with connect(place.warehouse) as connection:
            if not is_forecast(connection, released):
                raise BenchError(f"The cycle made no forecast from {released:%Y-%m-%d %H:%M} UTC")
        measured.append(ran)
        say(f"tick with forecast {number} of {ticks}: {ran.seconds:.2f} s, {ran.peak_mb:.0f} MB")
    refuse_stand_in(place)
    seconds = [ran.seconds for ran in measured]
    return [
        told(
            "tick_with_forecast_s",
            median(seconds),
            "s",
            f"{ticks} ticks: {min(seconds):.2f} to {max(seconds):.2f} s",
        ),
        told(
            "tick_with_forecast_mb",
            max(ran.peak_mb for ran in measured),
            "MB",
            "the worst tick; most of it is torch",
        ),
    ]


def release(replay: ReplayServer) -> datetime:
    """Release the next half-hour that is held back; returns its start."""
    released = replay.control.withheld_from
    if released is None or released + HALF_HOUR > replay.now():
        raise BenchError("No half-hour that has ended is held back any more")
    replay.control.release(1, replay.now())
    return released


def is_forecast(connection: Connection, half_hour: datetime) -> bool:
    """Whether a whole forecast that used this half-hour of both sources can be read."""
    model, end = registry.configured_name(None), half_hour + HALF_HOUR
    return bool(complete_issues(connection, model, end, end + timedelta(days=2), end))


def _span(first: date, last: date) -> tuple[str, ...]:
    return ("--from", str(first), "--to", str(last))
