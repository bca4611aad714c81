"""The simulated 48-hour forecast, needed because NESO's own forecasts were not recorded.

It is the recorded truth plus an error of realistic size, so it says nothing about NESO's accuracy.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from math import pi, sqrt
from random import Random
from typing import Final

from grid_assets.halfhours import HALF_HOUR, api_time

MAE_BY_LEAD_HOURS: Final = ((0.0, 16.0), (0.5, 17.0), (2.0, 22.0), (12.0, 24.0), (48.0, 29.0))
"""Mean absolute error, gCO2/kWh, at leads in hours; linear in between.

Nine real NESO forecasts of 2023 were off by 17 under 1 h, 22 from 1 to 3 h, 24 from 3 to 24 h and
28 from 24 to 48 h.
"""

PERSISTENCE: Final = 0.9
"""Correlation of the errors of neighbouring half-hours: a real forecast is off for hours."""

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
    return max(0, round(truth + _error(issue, steps) * deviation))


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


# One response needs up to 96 leads of one issue, and each lead builds on the one before.
@lru_cache(maxsize=1024)
def _error(issue: datetime, steps: int) -> float:
    """Autocorrelated error of unit deviation at a lead of `steps` half-hours."""
    fresh = Random(f"{api_time(issue)} {api_time(issue + steps * HALF_HOUR)}").gauss(0, 1)
    if steps == 1:
        return fresh
    return PERSISTENCE * _error(issue, steps - 1) + sqrt(1 - PERSISTENCE**2) * fresh
