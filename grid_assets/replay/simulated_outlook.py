"""Simulated forecasts of demand, embedded wind and solar, and metered wind.

None of these was recorded for the half-hours that are replayed. As in `simulated`, a forecast is
the recorded truth plus a smooth error of realistic size, repeatable for the same arguments. So it
says nothing about the accuracy of those who publish such forecasts.

The sizes come from NESO's day-ahead forecasts of 2022-01 to 2024-06 as issued between 08:00 and
10:00 the day before, against the outturn (37,561 half-hours). Errors at other leads were not to be
had: how they grow is an assumption.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from math import pi, sqrt
from typing import Final

from grid_assets.halfhours import HALF_HOUR
from grid_assets.replay.simulated import unit_error, with_error

DEMAND: Final = 0.03
"""Mean absolute error of the day-ahead demand as a part of the truth. The measured one is 0.042,
most of it because its collector interpolated between the day's highs and lows."""

EMBEDDED_WIND: Final = 0.06
"""The same for embedded wind, as a part of the square root of truth times capacity; the measured
ratio is 0.060 at all levels from 500 to 4,500 MW (mean absolute error 203 MW)."""

METERED_WIND: Final = 0.09
"""The same for metered wind farms (1,252 MW after its bias of -552 MW, which is left out)."""

METERED_WIND_CAPACITY: Final = 25_366
"""Capacity of the metered wind farms in MW, as NESO's file of 2026-10-08 gives it."""

EMBEDDED_SOLAR: Final = 0.15
"""The same for embedded solar, as a part of the truth (0.157 by day; its bias is left out)."""

GROWTH: Final = ((0.0, 0.3), (24.0, 1.0), (48.0, 1.3), (168.0, 2.0), (336.0, 2.5))
"""Error at a lead in hours, as a multiple of the day-ahead one; linear in between. Assumed."""


def demand(truth: int, issue: datetime, start: datetime) -> int:
    return _forecast("demand", truth, DEMAND * truth, issue, start)


def embedded_solar(truth: int, issue: datetime, start: datetime) -> int:
    return _forecast("embedded_solar", truth, EMBEDDED_SOLAR * truth, issue, start)


def embedded_wind(truth: int, capacity: int, issue: datetime, start: datetime) -> int:
    size = EMBEDDED_WIND * sqrt(truth * capacity)
    return min(capacity, _forecast("embedded_wind", truth, size, issue, start))


def metered_wind(truth: int, issue: datetime, start: datetime) -> int:
    size = METERED_WIND * sqrt(truth * METERED_WIND_CAPACITY)
    return min(METERED_WIND_CAPACITY, _forecast("metered_wind", truth, size, issue, start))


@lru_cache(maxsize=1024)
def growth(lead: timedelta) -> float:
    """The error at a lead, as a multiple of the day-ahead one; constant beyond two weeks."""
    hours = max(0.0, lead / timedelta(hours=1))
    for (left, low), (right, high) in pairwise(GROWTH):
        if hours <= right:
            return low + (high - low) * (hours - left) / (right - left)
    return GROWTH[-1][1]


def _forecast(series: str, truth: int, day_ahead: float, issue: datetime, start: datetime) -> int:
    # A normal error of standard deviation s has a mean absolute error of s * sqrt(2 / pi).
    deviation = day_ahead * growth(start + HALF_HOUR - issue) * sqrt(pi / 2)
    return with_error(truth, unit_error(issue, start, series) * deviation)
