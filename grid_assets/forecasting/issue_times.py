"""Issue times: the next half-hour boundary, or those of past days at a stride. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from grid_assets.halfhours import HALF_HOUR, Window

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def current_issue_time(now: datetime) -> datetime:
    """The half-hour boundary at which a forecast made now starts: the next one.

    It may use all values published up to `now`, so an earlier issue time would be false.
    """
    seconds = HALF_HOUR.total_seconds()
    return datetime.fromtimestamp(-(-now.timestamp() // seconds) * seconds, UTC)


def issue_times_at(window: Window, stride: timedelta, until: datetime) -> Iterator[datetime]:
    """Issue times of a window at a stride, none after `until`.

    The stride is counted from 1970, not from the window's start, so that a day has the same issue
    times in every window: a re-run replaces its forecasts and adds none.
    """
    at = window.start + (EPOCH - window.start) % stride
    while at < window.end and at <= until:
        yield at
        at += stride
