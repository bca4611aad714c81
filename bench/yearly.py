"""What does a year of half-hourly operation add to the database?

A week of cycles is run by the real writer, with all of our models and the outlook, after a day
that is not measured; a year is 365 / 7 times as much. That is linear: every cycle adds the same
rows. Tables are compacted before each measurement, because the space that rewritten rows leave is
bounded and depends on when autovacuum comes. Dagster's history is measured by real ticks and
counted for as many days as it is kept.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bench import commands
from bench.outlook import OutlookWriter
from bench.results import Figure, Measured
from bench.sandbox import Sandbox, bench_sql, sandbox
from bench.sizes import Sizes
from bench.writer import cycle
from bench.years import MADE_BEFORE, MODEL, half_hours, last_days, load_telemetry
from grid_assets.forecasting import store
from grid_assets.forecasting.blending.walk import NAME as BLEND
from grid_assets.forecasting.models.boosted import GradientBoosting
from grid_assets.forecasting.models.naive import SeasonalNaive
from grid_assets.forecasting.models.registry import BUILTIN_SOURCE, ModelInfo
from grid_assets.halfhours import DAY, HALF_HOUR, Window, floor
from grid_assets.replay.server import ReplayServer
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import connect
from grid_assets.warehouse.migrate import migrate
from grid_assets.warehouse.stamp import Stamp

FIGURES: Final = {"year_mb": Figure("MB", "<= 450")}

LOG = logging.getLogger(__name__)
BESIDE: Final = (GradientBoosting.name, SeasonalNaive.name, BLEND)
"""The models that forecast beside the configured one."""

CYCLES_A_DAY: Final = DAY // HALF_HOUR


def measure(sizes: Sizes) -> dict[str, Measured]:
    """Our tables after a day and after the days that follow, and Dagster's after some ticks."""
    kept_days = Settings().dagster_keep_days
    tick_kb = commands.tick(sizes)["tick_storage_kb"].value
    dagster_mb = tick_kb / 1000 * CYCLES_A_DAY * kept_days
    end = floor(datetime.now(UTC))
    begun = end - sizes.year_sample
    span = Window(begun - sizes.year_warm_up, end)
    clock = Clock(span.start)
    with sandbox() as box, ReplayServer(now=clock) as replay, OutlookWriter(replay) as outlook:
        migrate(box.url, Stamp("replay", replay.shift_weeks))
        with connect(box.url) as connection:
            history = last_days(span.start, 1)
            load_telemetry(connection, Window(history.start, span.start - HALF_HOUR))
        _operate(box, Window(span.start, begun), clock, outlook)
        before = _sizes(box)
        _operate(box, Window(begun, span.end), clock, outlook)
        after = _sizes(box)
    years = 365 * DAY / sizes.year_sample
    parts = {name: (after[name] - before.get(name, 0)) * years / 1e6 for name in after}
    parts[f"dagster, {kept_days} days of {tick_kb:.0f} kB a cycle"] = dagster_mb
    for name, size in sorted(parts.items(), key=lambda part: -part[1]):
        LOG.info(f"{size:7.1f} MB  {name}")
    largest = sorted(parts.items(), key=lambda part: -part[1])[:8]
    words = ", ".join(f"{name} {size:.0f}" for name, size in largest)
    extrapolated = f"from {sizes.year_sample // DAY} days of cycles; the largest, in MB: {words}"
    return {"year_mb": Measured(sum(parts.values()), extrapolated)}


@dataclass
class Clock:
    """The time at which a cycle runs."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at


def _operate(box: Sandbox, span: Window, clock: Clock, outlook: OutlookWriter) -> None:
    """Every cycle of a span, with its margins and its rows of the run log."""
    infos = (MODEL, *(ModelInfo(name, BUILTIN_SOURCE, "benchmark") for name in BESIDE))
    for issued_at in half_hours(span):
        clock.at = issued_at - MADE_BEFORE
        with connect(box.url) as connection:
            if issued_at.hour == issued_at.minute == 0:
                connection.execute("ANALYZE")
                for info in infos:
                    store.margins_of_day(connection, info, issued_at.date(), again=False)
            outlook.cycle(connection)
        cycle(box.url, issued_at, infos)
    with connect(box.url) as connection:
        connection.execute(bench_sql("attempts"), {"start": span.start, "end": span.end})
    LOG.info(f"{span.half_hours} cycles")


def _sizes(box: Sandbox) -> dict[str, float]:
    """Bytes of each of our tables with indexes and TOAST, without free space."""
    with connect(box.url) as connection:
        connection.execute("VACUUM (FULL, ANALYZE)")
    return {name: float(size) for name, size in box.rows(bench_sql("table_sizes"))}
