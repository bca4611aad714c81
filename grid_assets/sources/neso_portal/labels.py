"""Dates, clock times and settlement periods as the portal writes them, as UTC instants. Pure.

Every column has its own clock: some are UTC, some follow London, some label the end of a half-hour.
What the portal writes behind a time (`Z`, or nothing) is no help, so times are read without a zone
here, and the parser of a dataset says what its columns mean.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Final

from grid_assets.halfhours import DAY, HALF_HOUR, LONDON, floor, london_midnight
from grid_assets.sources.records import Unusable, shown

YEARS: Final = range(2005, 2101)
"""The oldest file of the portal begins in 2009; a year far from ours is garbage."""

_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)

_DAY_OF_MONTH: Final = re.compile(r"(\d{1,2})-([A-Z]{3})-(\d{4}|\d{2})", re.ASCII | re.IGNORECASE)

_WALL_TIME: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)Z?)?", re.ASCII
)

_CLOCK: Final = re.compile(r"(\d{2}):(\d{2})(?::00)?", re.ASCII)


def wall_time(name: str, value: object) -> datetime:
    """What a clock showed, without a zone: `2026-08-16T18:30:00`, also as a date, also with `Z`.

    Some years of the historic demand write the date as `01-Jan-23`. Any other form is refused:
    `01/02/2026` is two dates.
    """
    try:
        return _wall_time(value.strip() if isinstance(value, str) else "")
    except ValueError:
        raise Unusable(f"{name}: {shown(value)} is not a date or a time of this data") from None


@lru_cache(maxsize=4096)  # a day of the archive of embedded generation repeats each time 24 times
def _wall_time(text: str) -> datetime:
    if found := _WALL_TIME.fullmatch(text):
        at = datetime.combine(date.fromisoformat(found[1]), time.fromisoformat(found[2] or "00:00"))
    elif found := _DAY_OF_MONTH.fullmatch(text):
        year = int(found[3]) + (2000 if len(found[3]) == 2 else 0)
        at = datetime(year, 1 + _MONTHS.index(found[2].lower()), int(found[1]))  # noqa: DTZ001
    else:
        raise ValueError
    if at.year not in YEARS:
        raise ValueError
    return at


def date_forms(day: date) -> tuple[str, ...]:
    """A date as it stands in the files of one year or another."""
    month = _MONTHS[day.month - 1]
    return (
        f"{day:%Y-%m-%d}",
        f"{day:%Y-%m-%d}T00:00:00",
        f"{day:%d}-{month.title()}-{day:%y}",
        f"{day:%d}-{month.title()}-{day:%Y}",
        f"{day:%d}-{month.upper()}-{day:%Y}",
    )


def clock(name: str, value: object) -> time:
    """A time of the day such as `18:30` or `18:30:00`."""
    found = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        if found:
            return time(int(found[1]), int(found[2]))
    except ValueError:
        pass
    raise Unusable(f"{name}: {shown(value)} is not a time of the day such as 18:30")


def utc(wall: datetime) -> datetime:
    """The instant at which a UTC clock shows `wall`."""
    return wall.replace(tzinfo=UTC)


def london_instants(wall: datetime) -> tuple[datetime, ...]:
    """The instants at which London's clocks show `wall`: one, two in autumn, none in spring."""
    instants = {wall.replace(tzinfo=LONDON, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return tuple(
        sorted(at for at in instants if at.astimezone(LONDON).replace(tzinfo=None) == wall)
    )


@lru_cache(maxsize=4096)
def _day(day: date) -> tuple[datetime, int]:
    """Where a London day begins, and its number of half-hours: 48, 46 in spring, 50 in autumn."""
    start = london_midnight(day)
    return start, (london_midnight(day + DAY) - start) // HALF_HOUR


def settlement_start(day: date, period: int) -> datetime:
    """The start of a settlement period; period 1 begins at midnight in London."""
    start, count = _day(day)
    if not 1 <= period <= count:
        raise Unusable(f"settlement period: {shown(period)} is not one of the {count} of {day}")
    return start + (period - 1) * HALF_HOUR


def half_hour(name: str, start: datetime) -> datetime:
    """`start` if a half-hour begins then."""
    if floor(start) != start:
        raise Unusable(f"{name}: {start:%H:%M:%S} is not on a half-hour")
    return start
