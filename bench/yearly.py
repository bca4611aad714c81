"""What does a year of half-hourly operation add to the database?

A week of cycles is run by the real writer, with both of our models, after a day that is not
measured; a year is 365 / 7 times as much. That is linear: every cycle adds the same rows, and what
is rewritten in place is bounded. Dagster's history is measured by real ticks and counted for as
many days as it is kept.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Final

from bench import commands
from bench.results import Figure, Measured
from bench.sandbox import Sandbox, bench_sql, sandbox
from bench.sizes import Sizes
from bench.writer import cycle
from bench.years import MODEL, half_hours, last_days, load_telemetry
from grid_assets.forecasting import store
from grid_assets.forecasting.models.registry import seasonal_naive
from grid_assets.halfhours import DAY, HALF_HOUR, Window, floor
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import connect
from grid_assets.warehouse.migrate import migrate
from grid_assets.warehouse.stamp import Stamp

FIGURES: Final = {"year_mb": Figure("MB", "<= 450")}

LOG = logging.getLogger(__name__)
CYCLES_A_DAY: Final = DAY // HALF_HOUR


def measure(sizes: Sizes) -> dict[str, Measured]:
    """Our tables after a day and after the days that follow, and Dagster's after some ticks."""
    kept_days = Settings().dagster_keep_days
    tick_kb = commands.tick(sizes)["tick_storage_kb"].value
    dagster_mb = tick_kb / 1000 * CYCLES_A_DAY * kept_days
    end = floor(datetime.now(UTC))
    begun = end - sizes.year_sample
    span = Window(begun - sizes.year_warm_up, end)
    with sandbox() as box:
        migrate(box.url, Stamp("replay", 0))
        with connect(box.url) as connection:
            history = last_days(span.start, 1)
            load_telemetry(connection, Window(history.start, span.start - HALF_HOUR))
        _operate(box, Window(span.start, begun))
        before = _sizes(box)
        _operate(box, Window(begun, span.end))
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


def _operate(box: Sandbox, span: Window) -> None:
    """Every cycle of a span, with its margins and its rows of the run log."""
    infos = (MODEL, seasonal_naive().info)
    for issued_at in half_hours(span):
        if issued_at.hour == issued_at.minute == 0:
            with connect(box.url) as connection:
                connection.execute("VACUUM (ANALYZE)")  # autovacuum does, about as often
                for info in infos:
                    store.margins_of_day(connection, info, issued_at.date(), again=False)
        cycle(box.url, issued_at, infos)
    with connect(box.url) as connection:
        connection.execute(bench_sql("attempts"), {"start": span.start, "end": span.end})
    LOG.info(f"{span.half_hours} cycles")


def _sizes(box: Sandbox) -> dict[str, float]:
    """Bytes of each of our tables with indexes and TOAST, after what autovacuum would do."""
    with connect(box.url) as connection:
        connection.execute("VACUUM (ANALYZE)")
    return {name: float(size) for name, size in box.rows(bench_sql("table_sizes"))}
