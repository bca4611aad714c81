"""What do forecasts cost: the work around the model, back-tests, and a cycle with its forecast?

If another model stands in for the bundled checkpoint, the benchmark fails.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from statistics import median
from typing import Any, Final
from unittest.mock import patch

from bench.results import BenchError, Figure, Measured
from bench.sandbox import Ran, Sandbox, bench_sql, sandbox
from bench.sizes import Sizes
from bench.writer import refuse_failed
from grid_assets.forecasting import issuing
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.forecasting.issue_times import current_issue_time
from grid_assets.forecasting.models import registry
from grid_assets.forecasting.models.exported import ExportedForecaster
from grid_assets.halfhours import DAY, HALF_HOUR, Window, days_window
from grid_assets.replay.addresses import source_urls
from grid_assets.replay.server import ReplayServer
from grid_assets.series import SERIES
from grid_assets.warehouse.connection import Connection, connect

FIGURES: Final = {
    "backtest_s": Figure("s", "<= 120"),
    "backtest_speedup": Figure("x", ">= 5"),
    "forecast_overhead_s": Figure("s", "<= 0.4"),
    "forecast_first_of_day_s": Figure("s"),
    "tick_with_forecast_s": Figure("s", "<= 6"),
    "tick_with_forecast_mb": Figure("MB", "<= 280"),
    "tick_with_outlook_s": Figure("s", "<= tick_with_forecast_s + 1"),
    "tick_with_outlook_mb": Figure("MB"),
}

LOG = logging.getLogger(__name__)
ROWS: Final = HORIZON * len(SERIES)  # of one model at one issue time
STRIDE_HOURS: Final = 3
CYCLES_TO_FILL_GAPS: Final = 2
LOADED_BEFORE: Final = 15 * DAY
"""Telemetry before a back-test: a week of context for its first issue, and for single ones."""


def measure(sizes: Sizes) -> dict[str, Measured]:
    """A back-test, forecasts one by one in this process, and `grid tick` after each release,
    without the outlook and with it."""
    today = datetime.now(UTC).date()
    first = today - sizes.backtest_days * DAY
    start = first - LOADED_BEFORE
    with sandbox() as box, ReplayServer() as replay:
        replay.control.withhold(2 * sizes.forecast_ticks + 2, replay.now())
        LOG.info(f"Loading {(today - start).days} days")
        box.grid(replay, "backfill", "--from", start, "--to", today, history_start=start)
        # single issues on days before the others, where they find no forecasts to score
        days = [first - number * DAY for number in range(1, sizes.single_backtests + 1)]
        alone = median(_backtest(box, replay, day, day, 24) for day in days)
        whole = _backtest(box, replay, first, today - DAY, STRIDE_HOURS)
        costs = overhead(box, sizes.issues)
        settings = {"history_start": start, "backtest_days": sizes.backtest_days}
        ticks = [_tick(box, replay, settings) for _ in range(sizes.forecast_ticks)]
        with_outlook = _ticks_with_outlook(box, replay, sizes)
        refuse_stand_in(box)
    count = sizes.backtest_days * 24 // STRIDE_HOURS
    words = f"{count} issues, {count * ROWS:,} rows, {whole / count:.2f} s an issue"
    each = f"one run for each issue: {alone:.2f} s, median of {len(days)}"
    tick_s, tick_mb = _costs(ticks)
    outlook_s, outlook_mb = _costs(with_outlook)
    return {
        "backtest_s": Measured(whole, words),
        "backtest_speedup": Measured(count * alone / whole, each),
        **costs,
        "tick_with_forecast_s": tick_s,
        "tick_with_forecast_mb": tick_mb,
        "tick_with_outlook_s": outlook_s._replace(limit=tick_s.value + 1),
        "tick_with_outlook_mb": outlook_mb,
    }


def refuse_stand_in(box: Sandbox) -> None:
    """Raise `BenchError` if any forecast is not by the bundled checkpoint."""
    for (reason,) in box.rows(
        "SELECT fallback_reason FROM forecast.issues WHERE fallback_reason IS NOT NULL LIMIT 1"
    ):
        raise BenchError(f"Another model forecast: {reason}")


def release(replay: ReplayServer) -> datetime:
    """Release the next half-hour that is withheld; returns its start."""
    released = replay.control.withheld_from
    if released is None or released + HALF_HOUR > replay.now():
        raise BenchError("No half-hour that has ended is still withheld")
    replay.control.release(1, replay.now())
    return released


def is_forecast(connection: Connection, half_hour: datetime) -> bool:
    """Whether a whole forecast that used this half-hour of both sources can be read."""
    used = half_hour + HALF_HOUR
    return bool(_complete_issues(connection, Window(used, used + 2 * DAY), used))


def _complete_issues(connection: Connection, issued: Window, used: datetime) -> list[datetime]:
    """Issue times at which the bundled checkpoint made a whole forecast from telemetry up to `used`
    or later."""
    span = {"start": issued.start, "end": issued.end, "used": used}
    values = span | {"model": registry.configured_name(None), "rows": ROWS}
    rows = connection.execute(bench_sql("complete_issues"), values).fetchall()
    return [issued_at for (issued_at,) in rows]


def _backtest(
    box: Sandbox, replay: ReplayServer, first: date, last: date, stride_hours: int
) -> float:
    """Seconds of `grid backtest`. Raises `BenchError` unless it made every issue."""
    settings = {"history_start": first, "backtest_stride_hours": stride_hours}
    ran = box.grid(replay, "backtest", "--from", first, "--to", last, **settings)
    refuse_stand_in(box)
    days = days_window(first, last)
    expected = days.half_hours // (2 * stride_hours)
    with connect(box.url) as connection:
        made = len(_complete_issues(connection, days, days.start - HALF_HOUR))
    if made != expected:
        raise BenchError(f"Of {expected} issues, {made} have {ROWS} rows of the checkpoint")
    LOG.info(f"back-test of {made} issues: {ran.seconds:.2f} s")
    return ran.seconds


def _tick(box: Sandbox, replay: ReplayServer, settings: Mapping[str, object]) -> Ran:
    """One cycle, with its forecast, right after a half-hour was released."""
    released = release(replay)
    ran = box.tick(replay, **settings)
    with connect(box.url) as connection:
        if not is_forecast(connection, released):
            raise BenchError(f"The cycle made no forecast from {released:%Y-%m-%d %H:%M} UTC")
    LOG.info(f"tick with forecast: {ran.seconds:.2f} s, {ran.peak_mb:.0f} MB")
    return ran


def _ticks_with_outlook(box: Sandbox, replay: ReplayServer, sizes: Sizes) -> list[Ran]:
    """Cycles that also capture the outlook, after others that have filled its gaps."""
    settings = {
        **source_urls(replay.url),
        "history_start": datetime.now(UTC).date() - DAY,
        "backtest_days": 0,
    }
    for _ in range(CYCLES_TO_FILL_GAPS):
        box.grid(replay, "tick", **settings)
    (begun,) = box.row("SELECT now()")
    ticks = [_tick(box, replay, settings) for _ in range(sizes.forecast_ticks)]
    (captures,) = box.row(
        "SELECT count(*) FROM ops.etl_runs WHERE asset = 'raw.outlook' AND status = 'success' "
        "AND rows_fetched > 0 AND started_at >= %s",
        begun,
    )
    if captures != len(ticks):
        raise BenchError(f"Of {len(ticks)} cycles, {captures} captured the outlook")
    return ticks


def _costs(ticks: Sequence[Ran]) -> tuple[Measured, Measured]:
    """The median time and the highest memory of some cycles."""
    seconds = [tick.seconds for tick in ticks]
    spread = f"{len(ticks)} ticks: {min(seconds):.2f} to {max(seconds):.2f} s"
    peak = max(tick.peak_mb for tick in ticks)
    return Measured(median(seconds), spread), Measured(peak, "the worst tick")


def overhead(box: Sandbox, issues: int) -> dict[str, Measured]:
    """Time around the run of the network: reading, features, calibration, checks, writing."""
    loaded = registry.load(None, 0)
    if loaded.reason is not None:
        raise BenchError(loaded.reason)
    now = datetime.now(UTC)
    _issue_again(box, loaded, now)  # the first call of a process is slower
    first = [_issue_again(box, loaded, now, first_of_day=True) for _ in range(min(issues, 5))]
    later = [_issue_again(box, loaded, now) for _ in range(issues)]
    (calibrated_on,) = box.row(
        "SELECT calibrated_on FROM forecast.issues WHERE model = %s AND issued_at = %s",
        loaded.info.model,
        current_issue_time(now),
    )
    around = [whole - bare for whole, bare in later]
    bare = median(bare for _, bare in later)
    spread = f"{issues} issues: {min(around):.3f} to {max(around):.3f} s around it"
    words = f"the same where the day's margins are computed, from {calibrated_on} past issues"
    return {
        "forecast_overhead_s": Measured(median(around), f"the network: {bare:.3f} s; {spread}"),
        "forecast_first_of_day_s": Measured(median(whole - bare for whole, bare in first), words),
    }


def _issue_again(
    box: Sandbox, loaded: registry.Loaded, now: datetime, *, first_of_day: bool = False
) -> tuple[float, float]:
    """Seconds of one issue that is made again, and of the network's run in it."""
    at, days = current_issue_time(now), days_window(now.date() - DAY, now.date())
    options = issuing.IssueOptions(
        now,
        lambda: loaded,
        loaded.info.model,
        use_neso=False,
        backtest=False,
        judge=lambda staged, span: refuse_failed(staged, "forecast.predictions", span, now),
    )
    with connect(box.url) as connection:
        forgotten = {"at": at, "day": at.date(), "first_of_day": first_of_day}
        connection.execute(bench_sql("forget_issue"), forgotten)
        with _timed_predictions() as bare:
            started = time.perf_counter()
            issuing.issue(connection, days, [at], options)
            seconds = time.perf_counter() - started
        made = _complete_issues(connection, Window(at, at + HALF_HOUR), at - DAY)
    if made != [at] or len(bare) != 1:
        raise BenchError(f"The issue of {at:%Y-%m-%d %H:%M} was not made by {loaded.info.model}")
    return seconds, bare[0]


@contextmanager
def _timed_predictions() -> Iterator[list[float]]:
    """The seconds of each run of the bundled network while the block lasts."""
    seconds: list[float] = []
    bare = ExportedForecaster.run_network

    def timed(*arguments: Any, **options: Any) -> Any:
        started = time.perf_counter()
        answer = bare(*arguments, **options)
        seconds.append(time.perf_counter() - started)
        return answer

    with patch.object(ExportedForecaster, "run_network", timed):
        yield seconds
