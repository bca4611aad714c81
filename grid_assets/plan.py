"""Which days one half-hourly cycle reads: decided from the tables, not from what was scheduled.

Belongs here: the question "what is missing or may have changed?", for the daemon's schedule and for
`grid tick` alike. A lost or doubled cycle therefore loses and doubles nothing.
Does not belong here: starting a run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from pydantic import SecretStr

from grid_assets.halfhours import DAY, day_start
from grid_assets.warehouse import connect, statement

REVISED: Final = timedelta(days=7)
"""Shares are revised hours to days after publication, actuals for about a day."""

MOST_RANGES: Final = 6
"""Ranges of old days in one cycle; the newest go first and the rest follows half an hour later."""


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """UTC days, both included."""

    first: date
    last: date

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


def days_due(url: SecretStr, history_start: date, now: datetime) -> list[date]:
    """Past days, before yesterday, that lack half-hours or may have been revised, oldest first."""
    yesterday = now.date() - DAY
    if history_start >= yesterday:
        return []
    with connect(url) as connection:
        rows = connection.execute(
            statement("statements/days_due"),
            {
                "start": day_start(history_start),
                "end": day_start(yesterday),
                "now": now,
                "revised": REVISED,
            },
        ).fetchall()
    return [day for (day,) in rows]


def cycle(today: date, due: Iterable[date]) -> list[Range]:
    """The runs of one cycle: first yesterday and today, joined by due days that touch them, then
    the other due days as ranges, newest first."""
    ranges = joined({*due, today - DAY, today})
    return ranges[::-1][: 1 + MOST_RANGES]


def joined(days: Iterable[date]) -> list[Range]:
    """The days as ranges without a gap inside, oldest first."""
    ranges: list[Range] = []
    for day in sorted(days):
        if ranges and day - ranges[-1].last == DAY:
            ranges[-1] = Range(ranges[-1].first, day)
        else:
            ranges.append(Range(day, day))
    return ranges
