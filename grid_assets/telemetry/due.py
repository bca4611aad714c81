"""The days that a half-hourly cycle reads: those that the tables show to be incomplete, and those
that may have changed. A lost or repeated cycle therefore neither skips work nor does it twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from grid_assets.halfhours import DAY, day_start
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

REVISED: Final = timedelta(days=7)
"""Shares are revised for hours to days after publication, actuals for about a day."""

FIRST_DAY: Final = date(2017, 9, 11)
"""The API's first half-hour is 2017-09-11T23:00Z."""

MAX_RANGE_DAYS: Final = 14
"""Days of old telemetry in one run: one request to the API, so that a failure delays few days."""

MAX_RANGES: Final = 26
"""Runs over old days in one cycle, about a year; the newest first, the rest in later cycles."""


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """UTC days, both included."""

    first: date
    last: date

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


def days_due(connection: Connection, history_start: date, now: datetime) -> list[date]:
    """Days before yesterday that lack half-hours or may have been revised, oldest first."""
    yesterday = now.date() - DAY
    if history_start >= yesterday:
        return []
    rows = connection.execute(
        statement("raw/find_days_to_fetch"),
        {
            "start": day_start(history_start),
            "end": day_start(yesterday),
            "now": now,
            "revised": REVISED,
        },
    ).fetchall()
    return [day for (day,) in rows]


def newest_failed(connection: Connection, today: date) -> bool:
    """Whether the last attempt to fetch the newest days failed: the API is down or refuses."""
    row = connection.execute(statement("ops/has_newest_failed"), {"since": today - DAY}).fetchone()
    return row == (True,)


def last_failed(connection: Connection, asset: str, today: date) -> bool:
    """Whether the last attempt of an asset at the newest days failed."""
    row = connection.execute(
        "SELECT status = 'failed' FROM ops.etl_runs WHERE asset = %s AND partition_end >= %s "
        "AND started_at <= now() ORDER BY started_at DESC LIMIT 1",
        [asset, today - DAY],
    ).fetchone()
    return row == (True,)


def plan_cycle(today: date, due: Iterable[date]) -> list[Range]:
    """The runs of one cycle: first yesterday and today, so that old days cannot delay them, then
    the due days as ranges, newest first."""
    older = to_ranges({day for day in due if day < today - DAY}, MAX_RANGE_DAYS)
    return [Range(today - DAY, today), *older[::-1][:MAX_RANGES]]


def to_ranges(days: Iterable[date], max_days: int | None = None) -> list[Range]:
    """The days as unbroken ranges of at most `max_days` days, oldest first."""
    ranges: list[Range] = []
    for day in sorted(days):
        follows = bool(ranges) and day - ranges[-1].last == DAY
        if follows and (max_days is None or (day - ranges[-1].first).days < max_days):
            ranges[-1] = Range(ranges[-1].first, day)
        else:
            ranges.append(Range(day, day))
    return ranges
