"""A warehouse as it is after years of operation: telemetry, forecasts of two models, and scores.

The recorded half-hours are repeated in whole weeks, so that weekday and time of day stay right. The
rows are the same every time, in the order in which a running system adds them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Final

import numpy as np
from pydantic import SecretStr

from bench.sandbox import bench_sql
from bench.sizes import Sizes
from grid_assets.forecasting import scoring, store
from grid_assets.forecasting.horizon import HORIZON_TIME
from grid_assets.forecasting.models.registry import ModelInfo
from grid_assets.forecasting.recorded_series import read_recorded
from grid_assets.halfhours import DAY, HALF_HOUR, Window, day_start
from grid_assets.replay.recording import RECORDED_UNTIL, WEEK
from grid_assets.replay.simulated import index
from grid_assets.series import FUELS, SERIES
from grid_assets.sources.carbon_intensity.payloads import GenerationRow, IntensityRow
from grid_assets.telemetry.load import BATCH, Capture, load_generation, load_intensity
from grid_assets.telemetry.publish import publish_generation_mix, publish_intensity
from grid_assets.warehouse.connection import Connection, connect, copy_rows, write_transaction
from grid_assets.warehouse.migrate import migrate
from grid_assets.warehouse.stamp import Stamp

LOG = logging.getLogger(__name__)
SEED: Final = 4
MONTH: Final = 30 * DAY
MODEL: Final = ModelInfo("chronos:gb-outlook-2025-10", source="benchmark", revision="benchmark")
"""It could be any model: no figure here says anything about its quality."""

WEEKS: Final = 39
"""The number of weeks with a recorded mix."""

BEGAN: Final = timedelta(minutes=12)
"""A half-hour is first captured this long after it began, by the cycle at :12 or :42."""

ENDED: Final = HALF_HOUR + BEGAN
"""It is captured again, now with its actual, by the next cycle."""

MADE_BEFORE: Final = HALF_HOUR - BEGAN
"""The same cycle makes a forecast this long before it starts, at the next half-hour."""


@cache
def _repeated() -> list[tuple[int, ...]]:
    """The newest recorded weeks; a gap takes the values of the last week before that has them."""
    values = read_recorded(RECORDED_UNTIL - WEEKS * WEEK, RECORDED_UNTIL)
    by_week = values.T.reshape(WEEKS, -1, len(SERIES))
    while (holes := np.isnan(by_week).any(axis=-1, keepdims=True)).any():
        by_week = np.where(holes, np.roll(by_week, 1, axis=0), by_week)
    tenths = np.rint(10 * by_week).astype(int).reshape(-1, len(SERIES))
    return [tuple(row) for row in tenths.tolist()]


def happened(at: datetime) -> tuple[int, ...]:
    """The values of the repeated recording at an instant: tenths of each of `SERIES`."""
    return _repeated()[(at - RECORDED_UNTIL) % (WEEKS * WEEK) // HALF_HOUR]


def intensity_row(at: datetime, *, ended: bool = True) -> IntensityRow:
    grams = happened(at)[0] // 10
    band = index(grams, RECORDED_UNTIL.year - 1)
    return IntensityRow(at, Decimal(grams), Decimal(grams) if ended else None, band)


def generation_row(at: datetime) -> GenerationRow:
    shares = (Decimal(tenths) / 10 for tenths in happened(at)[1:])
    return GenerationRow(at, dict(zip(FUELS, shares, strict=True)), {})


def half_hours(window: Window) -> Iterator[datetime]:
    for number in range(window.half_hours):
        yield window.start + number * HALF_HOUR


def last_days(end: datetime, days: int) -> Window:
    """The whole UTC days, and the part of a day, up to `end`."""
    return Window(day_start((end - days * DAY).date()), end)


def build(url: SecretStr, end: datetime, sizes: Sizes) -> None:
    """The short history and all forecasts up to `end`, in an empty warehouse."""
    migrate(url, Stamp("replay", 0))
    with connect(url) as connection:
        history = last_days(end, sizes.short_history_days)
        # the last half-hour has not ended at `end`: the next cycle adds it
        load_telemetry(connection, Window(history.start, end - HALF_HOUR))
        load_forecasts(connection, last_days(end, sizes.forecast_days))
        settle(connection)


def grow(url: SecretStr, end: datetime, sizes: Sizes) -> None:
    """The years before the short history, as `grid backfill` would load them: after the rest."""
    older = last_days(end, sizes.long_history_days).start
    with connect(url) as connection:
        load_telemetry(connection, Window(older, last_days(end, sizes.short_history_days).start))
        settle(connection)


def load_telemetry(connection: Connection, window: Window) -> None:
    """Two captures of every intensity, one of every mix, and `core`, by the real loading path."""
    for part in window.split(BATCH * HALF_HOUR):
        times = list(half_hours(part))
        begun = (Capture([intensity_row(at, ended=False)], at + BEGAN) for at in times)
        ended = (Capture([intensity_row(at)], at + ENDED) for at in times)
        mixes = (Capture([generation_row(at)], at + ENDED) for at in times)
        for captures in (begun, ended):
            with write_transaction(connection, "raw.intensity"):
                load_intensity(connection, captures)
        with write_transaction(connection, "raw.generation"):
            load_generation(connection, mixes)
        with write_transaction(connection, "core.intensity"):
            publish_intensity(connection, part, part.end, lambda _: None)
        with write_transaction(connection, "core.generation_mix"):
            publish_generation_mix(connection, part, part.end, lambda _: None)
    LOG.info(f"{window.half_hours:,} half-hours of telemetry")


def load_forecasts(connection: Connection, window: Window) -> None:
    """NESO's and ours at every half-hour, month by month; each whole month is then scored."""
    _make_truth(connection, Window(window.start - DAY, window.end + HORIZON_TIME))
    store.record_models(connection, [MODEL], window.start)
    for month in window.split(MONTH):
        values = {
            "first": _number(month.start),
            "last": _number(month.end) - 1,
            "made_before": MADE_BEFORE,
            "seed": SEED,
            "model": MODEL.model,
            "revision": MODEL.revision,
        }
        with write_transaction(connection, "forecast.predictions"):
            connection.execute("SET LOCAL work_mem = '256MB'")
            for name in ("vintages", "issues", "predictions"):
                connection.execute(bench_sql(name), values)
            store.copy_neso_forecasts(connection, month, month.end)
        connection.execute("SELECT forecast.refresh_statistics()")
        days = Window(month.start, day_start((month.end - HALF_HOUR).date()) + DAY)
        with write_transaction(connection, "forecast.accuracy"):
            scored = scoring.score(connection, days, None)
        LOG.info(
            f"{month}: {scored.compared:,} forecasts of a half-hour, {scored.written:,} scores"
        )
    connection.execute("DROP SCHEMA bench CASCADE")


def settle(connection: Connection) -> None:
    """Do what autovacuum would long have done for rows this old."""
    connection.execute("VACUUM (ANALYZE)")
    connection.execute("CHECKPOINT")


def _make_truth(connection: Connection, window: Window) -> None:
    """Make `bench.truth`: the actual values of each half-hour, past and future."""
    columns = ("half_hour", "ordinal", "series", "tenths")
    rows = (
        (_number(at), ordinal, SERIES[ordinal - 1], tenths)
        for at in half_hours(window)
        for ordinal, tenths in enumerate(happened(at), start=1)
    )
    connection.execute(bench_sql("truth"))
    copy_rows(connection, "bench.truth", columns, rows)
    connection.execute("ANALYZE bench.truth")


def _number(at: datetime) -> int:
    """Half-hours since 1970."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // HALF_HOUR
