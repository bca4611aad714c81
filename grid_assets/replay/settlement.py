"""London settlement days and periods of half-hours: 48 a day, 46 or 50 when the clocks change."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from grid_assets.halfhours import HALF_HOUR, LONDON, london_midnight


def period_start(day: date, period: int) -> datetime:
    """The start of a settlement period in UTC."""
    return london_midnight(day) + (period - 1) * HALF_HOUR


def starts_between(start: datetime, end: datetime) -> list[datetime]:
    """Starts of the half-hours in [`start`, `end`)."""
    return [start + step * HALF_HOUR for step in range(max(0, (end - start) // HALF_HOUR))]


def later_day(start: datetime, days: int) -> datetime:
    """London midnight at the start of the day that is `days` after that of `start`, in UTC."""
    return london_midnight(start.astimezone(LONDON).date() + timedelta(days=days))
