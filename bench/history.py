"""What the whole recorded history costs, through the API, Dagster and every table.

Belongs here: `grid backfill` over the recording, as an operator calls it. Does not belong here:
the loading path alone (`loading`), or the half-hourly cycle (`ticking`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from bench.place import Place
from bench.results import BenchError, Result, at_most, told
from grid_assets.halfhours import Window, days_window
from grid_assets.replay.recording import RECORDED_UNTIL, WEEK, View
from grid_assets.replay.server import ReplayServer
from grid_assets.telemetry.gaps import Range

MOST_SECONDS: Final = 300
MOST_MB: Final = 400
MOST_RUNS: Final = 2

ROWS: Final = """
    SELECT (SELECT count(*) FROM raw.intensity), (SELECT count(*) FROM core.intensity),
           (SELECT count(*) FROM raw.generation), (SELECT count(*) FROM core.generation_mix)
"""
RUNS: Final = """
    SELECT count(DISTINCT run_id), sum(execution_time_ms) / 1000.0,
           count(*) FILTER (WHERE status <> 'success')
    FROM ops.etl_runs
"""
EVENTS: Final = "SELECT count(*) FROM dagster.event_logs"


def history(place: Place, most_days: int, say: Callable[[str], None]) -> list[Result]:
    """`history_s`, `history_mb`, `history_dagster_share` of the newest `most_days` recorded days.

    The recording is moved by the most whole weeks that leave all of it in the past.
    """
    weeks = (datetime.now(UTC) - RECORDED_UNTIL) // WEEK
    with ReplayServer(shift_weeks=weeks) as replay:
        days = recorded_days(replay.view, most_days)
        expected = _recorded(replay.view, days_window(days.first, days.last))
        say(f"Backfilling {days}: {expected[0]:,} half-hours of intensity, {expected[1]:,} of mix")
        ran = place.grid(
            replay,
            *("backfill", "--from", str(days.first), "--to", str(days.last)),
            history_start=days.last,
        )
    found = place.row(ROWS)
    if found != (expected[0], expected[0], expected[1], expected[1]):
        raise BenchError(f"Of {expected} recorded half-hours, raw and core have {found}")
    runs, in_assets, faults = place.row(RUNS)
    if runs > MOST_RUNS or faults:
        raise BenchError(f"The backfill made {runs} Dagster runs, {faults} attempts failed")
    (events,) = place.row(EVENTS)
    rows = f"{sum(expected):,} half-hours, {events:,} Dagster events, {runs} run"
    return [
        at_most("history_s", ran.seconds, "s", MOST_SECONDS, rows),
        at_most("history_mb", ran.peak_mb, "MB", MOST_MB, None),
        told(
            "history_dagster_share",
            1 - float(in_assets) / ran.seconds,
            "of time",
            f"in the assets themselves: {in_assets:.1f} s",
        ),
    ]


def recorded_days(view: View, most_days: int) -> Range:
    """The newest UTC days of the recording, in moved time."""
    last = (view.recorded.end - timedelta(minutes=30)).date()
    first = max(view.recorded.start.date(), last - timedelta(days=most_days - 1))
    return Range(first, last)


def _recorded(view: View, window: Window) -> tuple[int, int]:
    shift = view.weeks * WEEK
    return (
        sum(start + shift in window for start in view.recording.intensity),
        sum(start + shift in window for start in view.recording.mix),
    )
