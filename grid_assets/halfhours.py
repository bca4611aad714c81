"""Arithmetic on UTC half-hours, London settlement periods, and the API's format for times.

No function reads a clock, and a datetime without a time zone is refused.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

HALF_HOUR: Final = timedelta(minutes=30)
DAY: Final = timedelta(days=1)
LONDON: Final = ZoneInfo("Europe/London")

_INSTANT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?(Z|[+-]\d{2}(:?\d{2})?)",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, order=True)
class Window:
    """Half-hours that start in [`start`, `end`), both UTC and on a half-hour."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for instant in (self.start, self.end):
            if instant.utcoffset() != timedelta(0) or floor(instant) != instant:
                raise ValueError(f"{instant!r} is not a UTC half-hour")
        if self.end < self.start:
            raise ValueError(f"the window ends ({self.end}) before it starts ({self.start})")

    def __contains__(self, period_start: datetime) -> bool:
        return self.start <= period_start < self.end

    def __str__(self) -> str:
        return f"{api_time(self.start)} to {api_time(self.end)}"

    @property
    def half_hours(self) -> int:
        return (self.end - self.start) // HALF_HOUR

    def split(self, longest: timedelta) -> Iterator[Window]:
        """Adjacent windows of at most `longest`, in order, that cover this one exactly."""
        start = self.start
        while start < self.end:
            end = min(start + longest, self.end)
            yield Window(start, end)
            start = end


def floor(instant: datetime) -> datetime:
    """The start of the half-hour with `instant` in it. Raises `ValueError` without a time zone."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant!r} has no time zone")
    instant = instant.astimezone(UTC)
    return instant.replace(minute=30 * (instant.minute // 30), second=0, microsecond=0)


def day_start(day: date) -> datetime:
    """00:00 UTC of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def days_window(first: date, last: date) -> Window:
    """The half-hours of the UTC days `first` to `last`, both included."""
    return Window(day_start(first), day_start(last) + DAY)


def london_midnight(day: date) -> datetime:
    """The start of a London day, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)


def settlement(period_start: datetime) -> tuple[date, int]:
    """The London day and the settlement period, from 1, of a half-hour.

    A day has 48 periods, 46 when summer time begins and 50 when it ends.
    """
    day = period_start.astimezone(LONDON).date()
    return day, (period_start - london_midnight(day)) // HALF_HOUR + 1


def api_time(instant: datetime) -> str:
    """An instant in the API's format, such as `2025-12-31T23:30Z`."""
    return instant.astimezone(UTC).isoformat("T", "minutes").removesuffix("+00:00") + "Z"


def parse_api_time(text: object) -> datetime:
    """The UTC instant of an ISO 8601 time with its zone. Raises `ValueError` for anything else.

    The API documents `Z`; another offset is as clear. A time without either is refused, because
    any zone would be a guess.
    """
    if not isinstance(text, str) or not _INSTANT.fullmatch(text):
        raise ValueError(f"{reprlib.repr(text)[:60]} is not a UTC time such as 2025-12-31T23:30Z")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text} is not a date of our calendar in UTC") from None


def utc_text(at: datetime | date | None) -> str:
    """An instant or a day for people, such as `2025-12-31 23:30Z`; a dash if there is none."""
    if at is None:
        return "-"
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ") if isinstance(at, datetime) else str(at)


def age_text(age: timedelta) -> str:
    """A duration for people: in minutes, from two hours up in hours, from three days up in days."""
    minutes = max(int(age.total_seconds() // 60), 0)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 72 * 60 else f"{minutes // 1440} days"
