"""What a demo loads before its first cycle, so that its back-tests know what was known then.

A product that has been running for two weeks has captured the outlook and NESO's forecasts. The
outlook of past days is in the replay's archives. NESO keeps no forecasts, so those that would have
been captured are simulated, and marked as such.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from grid_assets.forecasting.issue_times import issue_times_at
from grid_assets.forecasting.models.registry import configured_name
from grid_assets.halfhours import DAY, HALF_HOUR, Window, api_time, day_start, days_window, floor
from grid_assets.replay.server import ReplayServer
from grid_assets.runtime.environment import Environment
from grid_assets.sources.carbon_intensity.payloads import parse_intensity
from grid_assets.telemetry.due import Range
from grid_assets.telemetry.load import load_neso_forecast
from grid_assets.warehouse.connection import Connection, write_transaction

BEFORE_ISSUE: Final = timedelta(minutes=18)
"""Minute 42, when the schedule captures, is so long before the next issue."""


def days_to_load(connection: Connection, environment: Environment, now: datetime) -> Range | None:
    """The day before the first one that is back-tested next, up to today; None if none is.

    The first issue of a day, at midnight, uses what was published on the day before.
    """
    settings, today = environment.settings, now.date()
    first = max(today - settings.backtest_days * DAY, settings.first_history_day(now))
    rows = connection.execute(
        "SELECT DISTINCT (issued_at AT TIME ZONE 'UTC')::date FROM forecast.issues "
        "WHERE model = %s AND issued_at >= %s",
        [configured_name(settings.chronos_model), day_start(first)],
    ).fetchall()
    forecast = {day for (day,) in rows}
    days = (first + n * DAY for n in range((today - first).days))
    lacking = [day for day in days if day not in forecast]
    return Range(min(lacking) - DAY, today) if lacking else None


def capture_neso_forecasts(
    connection: Connection, environment: Environment, replay: ReplayServer, days: Range
) -> int:
    """Add the forecasts that would have been captured before each back-tested issue, except those
    that are here; returns their number."""
    now = datetime.now(UTC)
    stride = timedelta(hours=environment.settings.backtest_stride_hours)
    with write_transaction(connection, "raw.neso_forecast"):
        rows = connection.execute(
            "SELECT DISTINCT issued_at FROM raw.neso_vintages WHERE issued_at >= %s",
            [day_start(days.first)],
        ).fetchall()
        captured = {floor(at) for (at,) in rows}
        added = 0
        for issued_at in issue_times_at(days_window(days.first, days.last), stride, now):
            at = issued_at - BEFORE_ISSUE
            if floor(at) not in captured:
                added += _capture(connection, replay, at)
    return added


def _capture(connection: Connection, replay: ReplayServer, at: datetime) -> bool:
    window = Window(floor(at), floor(at) + 96 * HALF_HOUR)
    path = f"/intensity/{api_time(window.start)}/fw48h"
    _, answer = replay.endpoints.answer(path, at, None)
    assert isinstance(answer.document, dict)
    rows = parse_intensity(answer.document, window).rows
    return load_neso_forecast(connection, rows, at, simulated=True) > 0
