"""Covariates that are known for any half-hour in advance: the clock and the calendar. Pure."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Final

import holidays
import numpy as np
import numpy.typing as npt

from grid_assets.halfhours import HALF_HOUR, LONDON

CALENDAR: Final = ("time_of_day", "day_of_week", "day_off")
"""Names of the calendar covariates, in the order of `calendar`'s rows."""


def calendar(start: datetime, steps: int) -> npt.NDArray[np.float32]:
    """Covariates of `steps` half-hours from `start`, shape (3, steps), in the order of `CALENDAR`.

    Time of day in hours, day of the week from 0 (Monday) to 6, and whether the day is a Saturday, a
    Sunday or a bank holiday in England and Wales (1) or not (0): all by London's clock, which
    demand follows.
    """
    local = [(start + step * HALF_HOUR).astimezone(LONDON) for step in range(steps)]
    hours = [time.hour + time.minute / 60 for time in local]
    weekdays = [time.weekday() for time in local]
    days_off = [_is_day_off(time.date()) for time in local]
    return np.array([hours, weekdays, days_off], np.float32)


@lru_cache(maxsize=8192)
def _is_day_off(day: date) -> bool:
    return day.weekday() >= 5 or day in _bank_holidays()


@lru_cache(maxsize=1)
def _bank_holidays() -> holidays.HolidayBase:
    return holidays.country_holidays("GB", subdiv="ENG")
