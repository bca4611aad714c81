"""London settlement days and periods of half-hours: 48 a day, 46 or 50 when the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from grid_assets.halfhours import HALF_HOUR

LONDON: Final = ZoneInfo("Europe/London")


def settlement(start: datetime) -> tuple[date, int]:
    """The settlement day and the period, from 1, of the half-hour that starts at `start`."""
    day = start.astimezone(LONDON).date()
    return day, (start - day_begins(day)) // HALF_HOUR + 1


def period_start(day: date, period: int) -> datetime:
    """The start of a settlement period in UTC."""
    return day_begins(day) + (period - 1) * HALF_HOUR


def day_begins(day: date) -> datetime:
    """London midnight at the start of `day`, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)


def starts_between(start: datetime, end: datetime) -> list[datetime]:
    """Starts of the half-hours in [`start`, `end`)."""
    return [start + step * HALF_HOUR for step in range(max(0, (end - start) // HALF_HOUR))]


def later_day(start: datetime, days: int) -> datetime:
    """London midnight at the start of the day that is `days` after that of `start`, in UTC."""
    return day_begins(start.astimezone(LONDON).date() + timedelta(days=days))
