"""What do the commands cost: the whole history, a half-hourly cycle, and the start of a process?"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from datetime import UTC, datetime
from functools import cache
from statistics import median
from typing import Final

from bench.forecasting import release
from bench.results import BenchError, Figure, Measured
from bench.sandbox import Sandbox, bench_sql, inherited_environment, sandbox
from bench.sizes import Sizes
from grid_assets.halfhours import DAY, HALF_HOUR, days_window
from grid_assets.replay.recording import RECORDED_UNTIL, WEEK
from grid_assets.replay.server import ReplayServer
from grid_assets.settings import PROJECT_DIR
from grid_assets.warehouse.connection import connect

HISTORY: Final = {
    "history_s": Figure("s", "<= 300"),
    "history_mb": Figure("MB", "<= 400"),
    "history_dagster_share": Figure("of time"),
}
TICK: Final = {
    "tick_s": Figure("s", "<= 4.5"),
    "tick_mb": Figure("MB", "<= 250"),
    "tick_event_kb": Figure("kB", "<= 250"),
    "tick_storage_kb": Figure("kB", "<= 100"),
}
IMPORT: Final = {"definitions_import_s": Figure("s", "< 3")}

LOG = logging.getLogger(__name__)
MOST_BACKFILL_RUNS: Final = 2
IMPORTING: Final = "import sys, grid_assets.definitions; print('torch' in sys.modules)"


def history(sizes: Sizes) -> dict[str, Measured]:
    """`grid backfill` of the newest recorded days, moved by whole weeks so that all are past."""
    shift = (datetime.now(UTC) - RECORDED_UNTIL) // WEEK
    with sandbox() as box, ReplayServer(shift_weeks=shift) as replay:
        recorded, recording = replay.view.recorded, replay.view.recording
        last = (recorded.end - HALF_HOUR).date()
        first = max(recorded.start.date(), last - (sizes.backfill_days - 1) * DAY)
        days = days_window(first, last)
        intensity = sum(start + shift * WEEK in days for start in recording.intensity)
        mix = sum(start + shift * WEEK in days for start in recording.mix)
        LOG.info(f"Backfilling {days}: {intensity:,} half-hours of intensity, {mix:,} of mix")
        ran = box.grid(replay, "backfill", "--from", first, "--to", last, history_start=last)
        *counts, runs, failed, events, in_assets_s = box.row(bench_sql("history"))
    if counts != [intensity, intensity, mix, mix]:
        raise BenchError(f"Of {intensity} and {mix} half-hours, raw and core have {counts}")
    if runs > MOST_BACKFILL_RUNS or failed:
        raise BenchError(f"The backfill made {runs} Dagster runs, {failed} attempts failed")
    words = f"{intensity + mix:,} half-hours, {events:,} Dagster events, {runs} run"
    in_assets = f"in the assets themselves: {in_assets_s:.1f} s"
    return {
        "history_s": Measured(ran.seconds, words),
        "history_mb": Measured(ran.peak_mb),
        "history_dagster_share": Measured(1 - float(in_assets_s) / ran.seconds, in_assets),
    }


@cache
def tick(sizes: Sizes) -> dict[str, Measured]:
    """Repeated `grid tick`, after a first one that filled the warehouse; `year_mb` needs it too."""
    start = datetime.now(UTC).date() - sizes.loaded_days * DAY
    with sandbox() as box, ReplayServer() as replay:
        # nothing new until a half-hour is released, so no forecast either
        replay.control.withhold(1 + sizes.forecast_ticks, replay.now())
        LOG.info(f"Loading {sizes.loaded_days} days")
        settings = {"history_start": start, "backtest_days": sizes.first_backtest_days}
        box.grid(replay, "tick", **settings)
        loaded, *before = box.row(bench_sql("tick"))
        if loaded < sizes.loaded_days:
            raise BenchError(f"The first cycle loaded {loaded} days, not {sizes.loaded_days}")
        ticks = [box.tick(replay, **settings) for _ in range(sizes.ticks)]
        _, *after = box.row(bench_sql("tick"))
        stored = _kept_bytes(box)
        for _ in range(sizes.forecast_ticks):
            release(replay)
            box.tick(replay, **settings)
        stored = _kept_bytes(box) - stored
    seconds = [tick.seconds for tick in ticks]
    events, event_bytes, _ = (
        float(new - old) / sizes.ticks for new, old in zip(after, before, strict=True)
    )
    words = f"{sizes.ticks} ticks: {min(seconds):.2f} to {max(seconds):.2f} s"
    of_all = (
        f"all of schema dagster: runs, checks and tags too, over {sizes.forecast_ticks} ticks with "
        "forecast; after VACUUM, because the next cycle reuses what replaced rows have freed"
    )
    of_events = f"{events:.0f} events a tick, with indexes on disk"
    return {
        "tick_s": Measured(median(seconds), words),
        "tick_mb": Measured(max(tick.peak_mb for tick in ticks), "the worst tick"),
        "tick_event_kb": Measured(event_bytes / 1000, of_events),
        "tick_storage_kb": Measured(stored / sizes.forecast_ticks / 1000, of_all),
    }


def _kept_bytes(box: Sandbox) -> float:
    with connect(box.url) as connection:
        connection.execute("VACUUM")
    *_, size = box.row(bench_sql("tick"))
    return float(size)


def definitions_import(sizes: Sizes) -> dict[str, Measured]:
    """New Python processes that load the definitions, from start to end."""
    command, environment = [sys.executable, "-c", IMPORTING], inherited_environment()
    seconds = []
    for _ in range(sizes.imports):
        started = time.perf_counter()
        ran = subprocess.run(
            command, cwd=PROJECT_DIR, env=environment, capture_output=True, text=True
        )
        seconds.append(time.perf_counter() - started)
        if ran.returncode != 0 or ran.stdout.strip() != "False":
            raise BenchError(f"Importing the definitions fails or imports torch:\n{ran.stderr}")
    spread = f"{min(seconds):.2f} to {max(seconds):.2f} s"
    words = f"{sizes.imports} new processes: {spread}, without torch"
    return {"definitions_import_s": Measured(median(seconds), words)}
