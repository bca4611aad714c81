"""The simulated 48-hour forecast, needed because NESO's own forecasts were not recorded.

It is the recorded truth plus a smooth error of realistic size, so it says nothing about NESO's
accuracy.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from math import hypot, pi, sqrt, tanh
from random import Random
from typing import Final

from grid_assets.halfhours import HALF_HOUR, api_time

MAE_BY_LEAD_HOURS: Final = ((0.0, 16.0), (0.5, 17.0), (2.0, 22.0), (12.0, 24.0), (48.0, 29.0))
"""Mean absolute error, gCO2/kWh, at leads in hours; linear in between.

Nine real NESO forecasts of 2023 were off by 17 under 1 h, 22 from 1 to 3 h, 24 from 3 to 24 h and
28 from 24 to 48 h.
"""

USUAL: Final = 150
"""Mean actual of the days that those nine forecast, gCO2/kWh. Below it, errors are smaller."""

PERIOD_KNOTS: Final = 16 * HALF_HOUR
ISSUE_KNOTS: Final = 24 * HALF_HOUR
"""Times between independent errors, along the forecast and from issue to issue. In between they are
interpolated: a real forecast is off for hours, and the next issue repeats most of its error."""

LARGEST: Final = 0.5
"""The error is less than this part of the truth: 0 where 130 is true would be no forecast."""

EPOCH: Final = datetime(2017, 1, 1, tzinfo=UTC)

INDEX_LIMITS: Final = {
    2022: (45, 130, 210, 310),
    2023: (40, 120, 200, 290),
    2025: (30, 100, 180, 250),
    2026: (30, 90, 170, 230),
}
"""By recorded year, the lowest values of low, moderate, high and very high in the recording.

The recording has no "very low" value in 2026; that limit is the one for 2025.
"""

INDEX_NAMES: Final = ("very low", "low", "moderate", "high", "very high")


def forecast(truth: int, issue: datetime, period: datetime) -> int:
    """The forecast issued at `issue` for `period`, gCO2/kWh; repeatable for the same arguments.

    Both are starts of recorded half-hours. Raises `ValueError` unless `period` is the later one.
    """
    steps = (period - issue) // HALF_HOUR
    if steps < 1:
        raise ValueError(f"{api_time(period)} has begun at {api_time(issue)}")
    # A normal error of standard deviation s has a mean absolute error of s * sqrt(2 / pi).
    deviation = mean_absolute_error(steps / 2) * sqrt(pi / 2)
    return with_error(truth, unit_error(issue, period) * deviation * min(1, truth / USUAL))


def with_error(truth: int, error: float) -> int:
    """The truth plus an error, which is kept below `LARGEST` of the truth."""
    limit = LARGEST * truth
    return round(truth + limit * tanh(error / limit)) if limit else truth


def index(forecast: int, year: int) -> str | None:
    """The published name of a forecast's band in a recorded year, None if it is unknown."""
    limits = INDEX_LIMITS.get(year)
    return limits and INDEX_NAMES[sum(forecast >= limit for limit in limits)]


def mean_absolute_error(lead_hours: float) -> float:
    """Intended error at a lead, gCO2/kWh; constant beyond 48 h."""
    for (left, low), (right, high) in pairwise(MAE_BY_LEAD_HOURS):
        if lead_hours <= right:
            return low + (high - low) * (lead_hours - left) / (right - left)
    return MAE_BY_LEAD_HOURS[-1][1]


def unit_error(issue: datetime, period: datetime, series: str = "") -> float:
    """Error of unit deviation, smooth along both times; each series has its own."""
    (before, near), (after, far) = _weights(period, PERIOD_KNOTS)
    return near * _at_issue(issue, before, series) + far * _at_issue(issue, after, series)


@lru_cache(maxsize=4096)  # an issue asks several times for each
def _at_issue(issue: datetime, period: int, series: str) -> float:
    """The error at a knot of the periods."""
    (before, near), (after, far) = _weights(issue, ISSUE_KNOTS)
    return near * _knot(before, period, series) + far * _knot(after, period, series)


@lru_cache(maxsize=4096)
def _weights(instant: datetime, apart: timedelta) -> tuple[tuple[int, float], tuple[int, float]]:
    """The numbers of the knots before and after an instant, and their weights.

    The squares of the weights add up to 1, so that the deviation is the same between knots.
    """
    number, rest = divmod(instant - EPOCH, apart)
    after = rest / apart
    after = after * after * (3 - 2 * after)  # flat at the knots: no kink there
    length = hypot(1 - after, after)
    return (number, (1 - after) / length), (number + 1, after / length)


@lru_cache(maxsize=4096)  # one response asks 96 times for some 40 knots, one of MW for 90 a series
def _knot(issue: int, period: int, series: str) -> float:
    return Random(f"{series} {issue} {period}".lstrip()).gauss(0, 1)
