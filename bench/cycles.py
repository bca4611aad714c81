"""The writer of the serving benchmark: one half-hourly cycle after another, by the real code.

Belongs here: what a cycle writes, and in which order. Does not belong here: bulk history
(`serving_data`); fetching, Dagster and the model, which are measured elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

import numpy as np
from pydantic import SecretStr

from bench.results import BenchError
from bench.years import MADE_BEFORE, half_hours, years
from grid_assets.forecasting import scoring, store
from grid_assets.forecasting.bands import finalise
from grid_assets.forecasting.context import IssueContext
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.forecasting.models.registry import ModelInfo
from grid_assets.halfhours import DAY, HALF_HOUR, Window, day_start
from grid_assets.series import SERIES
from grid_assets.telemetry.checks import BLOCKING, judge
from grid_assets.telemetry.load import Capture, load_generation, load_intensity, load_neso_forecast
from grid_assets.telemetry.publish import publish_generation_mix, publish_intensity
from grid_assets.warehouse.connection import Connection, write_transaction

REVISION: Final = "benchmark"
LATE_STEPS: Final = 12
"""A synthetic forecast is what happened six hours before: it need not be good, only be stored."""


def cycle(url: SecretStr, issued_at: datetime, models: tuple[str, ...]) -> float:
    """The cycle that ends with a forecast for `issued_at`; returns its seconds.

    Yesterday and today are loaded again, as the schedule does: all but one or two half-hours are
    what they were.
    """
    now = issued_at - MADE_BEFORE
    today = day_start(now.date())
    days = Window(today - DAY, today + DAY)
    begun = issued_at - HALF_HOUR
    ended = Window(days.start, begun)
    intensity = [years().intensity_row(at) for at in half_hours(ended)]
    vintage = [years().intensity_row(begun + step * HALF_HOUR) for step in range(HORIZON)]
    issues = [_issue(model, issued_at) for model in models]
    reach = Window(issued_at, issued_at + HORIZON * HALF_HOUR)

    started = time.monotonic()
    with write_transaction(url, "raw.intensity") as connection:
        rows = [*intensity, years().intensity_row(begun, ended=False)]
        load_intensity(connection, [Capture(rows, now)])
    with write_transaction(url, "raw.generation") as connection:
        mixes = [years().generation_row(at) for at in half_hours(ended)]
        load_generation(connection, [Capture(mixes, now)])
    with write_transaction(url, "raw.neso_forecast") as connection:
        load_neso_forecast(connection, vintage, now, simulated=True)
    with write_transaction(url, "core.intensity") as connection:
        publish_intensity(connection, days, now, _judge_as_asset("core.intensity", days, now))
    with write_transaction(url, "core.generation_mix") as connection:
        publish_generation_mix(
            connection, days, now, _judge_as_asset("core.generation_mix", days, now)
        )
    with write_transaction(url, "forecast.predictions") as connection:
        store.record_models(connection, map(model_info, models), now)
        written = store.publish(
            connection, issues, now, _judge_as_asset("forecast.predictions", reach, now)
        )
    with write_transaction(url, "forecast.predictions") as connection:
        store.copy_neso_forecasts(connection, days, now)
    with write_transaction(url, "forecast.accuracy") as connection:
        scoring.score(connection, days, None)
    seconds = time.monotonic() - started

    if written != len(models) * len(SERIES) * HORIZON:
        raise BenchError(f"The cycle for {issued_at} stored {written} predictions")
    return seconds


def cycles(url: SecretStr, first: datetime, count: int, models: tuple[str, ...]) -> None:
    """So many consecutive cycles, one right after another."""
    for number in range(count):
        cycle(url, first + number * HALF_HOUR, models)


def paced_cycles(
    url: SecretStr, first: datetime, models: tuple[str, ...], seconds: float, every_s: float
) -> list[float]:
    """Consecutive cycles for so long, one each `every_s` or when the one before has ended."""
    measured: list[float] = []
    started = time.monotonic()
    while True:
        measured.append(cycle(url, first + len(measured) * HALF_HOUR, models))
        due = len(measured) * every_s
        if max(due, time.monotonic() - started) >= seconds:
            return measured
        time.sleep(max(0.0, started + due - time.monotonic()))


def model_info(model: str) -> ModelInfo:
    return ModelInfo(model, source="benchmark", revision=REVISION)


def _issue(model: str, issued_at: datetime) -> store.Issue:
    tenths = np.array(
        [years().tenths(issued_at + (step - LATE_STEPS) * HALF_HOUR) for step in range(HORIZON)],
        np.float32,
    )
    median = tenths.T / 10
    width = np.where(np.arange(len(SERIES)) == 0, 15, 2)[:, None]
    raw = np.stack([median - width, median, median + width], axis=-1).astype(np.float32)
    stored = finalise(raw[None], np.zeros((1, len(SERIES), HORIZON), np.float32))[0]
    newest = issued_at - HALF_HOUR
    shown = IssueContext(issued_at, None, 1, newest, newest, 0, 0, None, None)
    return store.Issue(model_info(model), shown, stored, raw)


def _judge_as_asset(relation: str, window: Window, now: datetime) -> Callable[[Connection], None]:
    def judged(connection: Connection) -> None:
        failed = [v.sentence for v in judge(connection, BLOCKING[relation], window, now) if v.total]
        if failed:
            raise BenchError(f"{relation}: {'; '.join(failed)}")

    return judged
