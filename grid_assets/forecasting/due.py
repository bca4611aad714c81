"""Decides from the tables whether a forecast is due, for the sensor, `grid tick` and the asset.

A lost or repeated event therefore neither skips a forecast nor makes one twice.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final, Literal

from grid_assets.forecasting.retention import thinned_to
from grid_assets.halfhours import DAY, day_start
from grid_assets.warehouse.clocks import TOLERANCE
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

PAUSE: Final = timedelta(minutes=5)
"""Time before a failed forecast is retried."""


State = Literal["due", "up_to_date", "failed_lately", "blocked"]
"""Whether a forecast is due, and if not, why. `failed_lately`: one failed within the pause, so an
immediate retry would not help. `blocked`: a blocking check stopped the last run over the newest
days of `core`, so `core` is older than the published telemetry."""


def state(connection: Connection, model: str, now: datetime, pause: timedelta = PAUSE) -> State:
    """Whether a forecast of the model is due, by the SQL function `forecast.due`.

    A forecast that was killed is retried at once, but only once.
    """
    row = connection.execute("SELECT forecast.due(%s, %s, %s)", [model, now, pause]).fetchone()
    assert row is not None
    answer: State = row[0]
    return answer


def forecast_is_due(connection: Connection, model: str, now: datetime) -> bool:
    """Whether `core` holds telemetry that no issue of the model has used."""
    row = connection.execute(
        "SELECT forecast.has_unused_telemetry(%s, %s)", [model, now]
    ).fetchone()
    return row == (True,)


def has_forecast(connection: Connection, model: str) -> bool:
    """Whether the model has ever made a forecast in this warehouse."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM forecast.issues WHERE model = %s AND refused_reason IS NULL)",
        [model],
    ).fetchone()
    return row == (True,)


def issue_times_on(connection: Connection, model: str, day: date) -> set[datetime]:
    """The issue times of a UTC day at which the model has forecast."""
    rows = connection.execute(
        "SELECT issued_at FROM forecast.issues WHERE model = %s AND refused_reason IS NULL "
        "AND issued_at >= %s AND issued_at < %s",
        [model, day_start(day), day_start(day + DAY)],
    ).fetchall()
    return {at for (at,) in rows}


def is_scored(connection: Connection, first: date, last: date) -> bool:
    """Whether any of the UTC days has scores, which new telemetry may change."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM forecast.accuracy WHERE target_date BETWEEN %s AND %s)",
        [first, last],
    ).fetchone()
    return row == (True,)


def days_to_backtest(connection: Connection, model: str, days: int, now: datetime) -> list[date]:
    """Past days, among the last `days`, that have telemetry and no issue of the model.

    Days whose forecasts are thinned are left out: they are not forecast again.
    """
    today = now.date()
    first = max(today - days * DAY, thinned_to(connection) or date.min)
    rows = connection.execute(
        statement("forecast/find_days_to_backtest"),
        {
            "model": model,
            "start": day_start(first),
            "end": day_start(today),
            "tolerance": TOLERANCE,
        },
    ).fetchall()
    return [day for (day,) in rows]


def days_core_lacks(
    connection: Connection, first: date, now: datetime, pause: timedelta = PAUSE
) -> list[date]:
    """Days from `first` on for which `raw` has newer values than `core`.

    Days whose publication failed within `pause` are left out.
    """
    rows = connection.execute(
        statement("core/find_days_behind_raw"),
        {"start": day_start(first), "now": now, "pause": pause},
    ).fetchall()
    return [day for (day,) in rows]
