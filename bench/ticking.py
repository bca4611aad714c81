"""What one half-hourly cycle costs, the start of its process included.

Belongs here: `grid tick` on a warehouse that is up to date. Does not belong here: long loads.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Final

from bench.place import Place, Ran
from bench.results import BenchError, Result, at_most, told
from grid_assets.replay.server import ReplayServer

MOST_SECONDS: Final = 5
MOST_MB: Final = 250
MOST_KB: Final = 250

RUNS: Final = "SELECT count(*) FROM dagster.runs"
EVENTS: Final = """
    SELECT count(*), pg_total_relation_size('dagster.event_logs') FROM dagster.event_logs
"""
STORAGE: Final = """
    SELECT sum(pg_total_relation_size(oid))
    FROM pg_class WHERE relnamespace = 'dagster'::regnamespace AND relkind IN ('r', 'm')
"""
LOADED: Final = """
    SELECT count(DISTINCT (period_start AT TIME ZONE 'UTC')::date) FROM core.intensity
"""


def ticking(place: Place, loaded_days: int, ticks: int, say: Callable[[str], None]) -> list[Result]:
    """`tick_s`, `tick_mb`, `tick_event_kb`, `tick_storage_kb` after `loaded_days` were loaded.

    The first cycle, which is not measured, fills the warehouse by itself.
    """
    start = datetime.now(UTC).date() - timedelta(days=loaded_days)
    with ReplayServer() as replay:
        replay.control.withhold(1, replay.now())  # nothing new meanwhile, so no forecast either
        say(f"Loading {loaded_days} days")
        place.grid(replay, "tick", history_start=start)
        (days,) = place.row(LOADED)
        if days < loaded_days:
            raise BenchError(f"The first cycle loaded {days} days, not {loaded_days}")
        before, size = place.row(EVENTS), place.row(STORAGE)[0]
        measured: list[Ran] = []
        for number in range(1, ticks + 1):
            (runs,) = place.row(RUNS)
            ran = place.grid(replay, "tick", history_start=start)
            (more,) = place.row(RUNS)
            if more != runs + 1:
                raise BenchError(f"A cycle made {more - runs} Dagster runs, not one")
            measured.append(ran)
            say(f"tick {number} of {ticks}: {ran.seconds:.2f} s, {ran.peak_mb:.0f} MB")
        after, grown = place.row(EVENTS), place.row(STORAGE)[0]
    seconds = [ran.seconds for ran in measured]
    events = (after[0] - before[0]) / ticks
    return [
        at_most(
            "tick_s",
            median(seconds),
            "s",
            MOST_SECONDS,
            f"{ticks} ticks: {min(seconds):.2f} to {max(seconds):.2f} s",
        ),
        at_most("tick_mb", max(ran.peak_mb for ran in measured), "MB", MOST_MB, "the worst tick"),
        at_most(
            "tick_event_kb",
            float(after[1] - before[1]) / ticks / 1000,
            "kB",
            MOST_KB,
            f"{events:.0f} events a tick, with indexes on disk",
        ),
        told(
            "tick_storage_kb",
            float(grown - size) / ticks / 1000,
            "kB",
            f"all of schema dagster: runs, checks and tags too, over {ticks} ticks",
        ),
    ]
