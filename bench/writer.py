"""The writer of the serving benchmark: one half-hourly cycle after another, with the real code.

Dagster, HTTP and the model are left out; other benchmarks measure them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Final

import numpy as np
from pydantic import SecretStr

from bench.results import BenchError
from bench.years import (
    MADE_BEFORE,
    MODEL,
    SEED,
    generation_row,
    half_hours,
    happened,
    intensity_row,
)
from grid_assets.forecasting import checks as forecast_checks
from grid_assets.forecasting import scoring, store
from grid_assets.forecasting.bands import finalise
from grid_assets.forecasting.blending.record import Document, document, rounded
from grid_assets.forecasting.blending.walk import NAME as BLEND
from grid_assets.forecasting.blending.weights import MEMBERS, OWN, REGIMES, Weights
from grid_assets.forecasting.context import IssueContext
from grid_assets.forecasting.horizon import HORIZON, HORIZON_TIME
from grid_assets.forecasting.models.registry import ModelInfo
from grid_assets.halfhours import DAY, HALF_HOUR, Window, day_start
from grid_assets.series import INTENSITY, LEAD_BUCKETS, SERIES
from grid_assets.telemetry import checks
from grid_assets.telemetry.load import Capture, load_generation, load_intensity, load_neso_forecast
from grid_assets.telemetry.publish import publish_generation_mix, publish_intensity
from grid_assets.warehouse.connection import Connection, connect, write_transaction

BLOCKING: Final = checks.BLOCKING | forecast_checks.BLOCKING
LATE: Final = 12 * HALF_HOUR
"""A synthetic forecast repeats actuals from this long before: it only has to be stored."""


def cycle(url: SecretStr, issued_at: datetime, infos: Sequence[ModelInfo] = (MODEL,)) -> float:
    """Run the cycle that ends with forecasts for `issued_at`; returns its seconds.

    Yesterday and today are loaded again, as by the schedule: all but one or two half-hours are
    unchanged.
    """
    now, begun = issued_at - MADE_BEFORE, issued_at - HALF_HOUR
    today = day_start(now.date())
    days, reach = Window(today - DAY, today + DAY), Window(issued_at, issued_at + HORIZON_TIME)
    ended = list(half_hours(Window(days.start, begun)))
    intensity = [*map(intensity_row, ended), intensity_row(begun, ended=False)]
    mixes = list(map(generation_row, ended))
    neso = list(map(intensity_row, half_hours(Window(begun, begun + HORIZON_TIME))))
    issues = [_issue(issued_at, info) for info in infos]

    def judged(relation: str, window: Window) -> Callable[[Connection], None]:
        return lambda staged: refuse_failed(staged, relation, window, now)

    started = time.monotonic()
    with connect(url) as connection:
        with write_transaction(connection, "raw.intensity"):
            load_intensity(connection, [Capture(intensity, now)])
        with write_transaction(connection, "raw.generation"):
            load_generation(connection, [Capture(mixes, now)])
        with write_transaction(connection, "raw.neso_forecast"):
            load_neso_forecast(connection, neso, now, simulated=True)
        with write_transaction(connection, "core.intensity"):
            publish_intensity(connection, days, now, judged("core.intensity", days))
        with write_transaction(connection, "core.generation_mix"):
            publish_generation_mix(connection, days, now, judged("core.generation_mix", days))
        with write_transaction(connection, "forecast.predictions"):
            store.record_models(connection, infos, now)
            judge = judged("forecast.predictions", reach)
            written = store.publish(connection, issues, now, judge)
        with write_transaction(connection, "forecast.predictions"):
            store.copy_neso_forecasts(connection, days, now)
        with write_transaction(connection, "forecast.accuracy"):
            scoring.score(connection, days, None)
    seconds = time.monotonic() - started

    if written != len(infos) * len(SERIES) * HORIZON:
        raise BenchError(f"The cycle for {issued_at} stored {written} predictions")
    return seconds


def refuse_failed(staged: Connection, relation: str, window: Window, now: datetime) -> None:
    """Judge the staged rows, as the asset does. Raises `BenchError` if a check fails."""
    for verdict in checks.judge(staged, BLOCKING[relation], window, now):
        if not verdict.passed:
            raise BenchError(f"{relation}: {verdict.sentence}")


def _issue(issued_at: datetime, info: ModelInfo) -> store.Issue:
    repeated = map(happened, half_hours(Window(issued_at - LATE, issued_at - LATE + HORIZON_TIME)))
    median = np.array(list(repeated), np.float32).T / 10
    width = np.array([15 if series == INTENSITY else 2 for series in SERIES])[:, None]
    raw = np.stack([median - width, median, median + width], axis=-1).astype(np.float32)
    stored = finalise(raw[None], np.zeros((1, len(SERIES), HORIZON), np.float32))[0]
    newest = issued_at - HALF_HOUR
    shown = IssueContext(issued_at, None, 1, newest, newest, 0, 0, None, None)
    record = _record() if info.model == BLEND else None
    return store.Issue(info, shown, stored, raw, blend=record)


@cache
def _record() -> Document:
    """What an issue of a blend with all its members says, as long as in operation."""
    random = np.random.default_rng(SEED)
    shape = (len(MEMBERS), len(REGIMES), len(SERIES), len(LEAD_BUCKETS))
    weights, biases = random.uniform(0.1, 0.9, shape), np.zeros(shape)
    weights[OWN:, :, SERIES.index(INTENSITY) + 1 :] = 0  # NESO forecasts no shares
    biases[:, :, SERIES.index(INTENSITY)] = random.normal(0, 5, shape[:2] + shape[3:])
    members = {name: {"model": name, "revision": "0" * 12} for name in MEMBERS}
    learned = rounded(Weights(weights, biases, issues=224))
    return document(members, {}, np.arange(HORIZON) < 60, learned, 12.34)


def catch_up(url: SecretStr, until: datetime) -> int:
    """Run the cycles from the newest forecast to the one issued at `until`; returns how many."""
    window = Window(next_issue(url), until + HALF_HOUR)
    for issued_at in half_hours(window):
        cycle(url, issued_at)
    return window.half_hours


def paced_cycles(url: SecretStr, seconds: float, every_s: float) -> list[float]:
    """Run cycles for `seconds`, one every `every_s` or when the previous one has ended."""
    first, started = next_issue(url), time.monotonic()
    measured: list[float] = []
    while True:
        measured.append(cycle(url, first + len(measured) * HALF_HOUR))
        due = started + len(measured) * every_s
        if max(due, time.monotonic()) - started >= seconds:
            return measured
        time.sleep(max(0.0, due - time.monotonic()))


def next_issue(url: SecretStr) -> datetime:
    """The half-hour after the issue time of our own model's newest forecast."""
    with connect(url) as connection:
        (newest,) = connection.execute(
            "SELECT max(issued_at) FROM forecast.issues WHERE model = %s", [MODEL.model]
        ).fetchall()[0]
    issued_at: datetime = newest.astimezone(UTC) + HALF_HOUR
    return issued_at
