"""The clock and the calendar in London, also on nights when the clock changes."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from grid_assets.forecasting.covariates import CALENDAR, calendar

HOURS, WEEKDAY, OFF = (CALENDAR.index(name) for name in ("time_of_day", "day_of_week", "day_off"))


def test_rows_are_the_named_covariates_of_each_half_hour() -> None:
    values = calendar(datetime(2025, 12, 3, tzinfo=UTC), 96)  # a Wednesday
    assert values.shape == (len(CALENDAR), 96)
    assert values.dtype == np.float32
    assert values[HOURS, :3].tolist() == [0, 0.5, 1]
    assert values[HOURS, 47:49].tolist() == [23.5, 0]
    assert values[WEEKDAY, [0, 47, 48, 95]].tolist() == [2, 2, 3, 3]
    assert not values[OFF].any()


def test_the_clock_is_the_one_in_london() -> None:
    summer = calendar(datetime(2025, 7, 6, 23, tzinfo=UTC), 1)  # Monday 00:00 there
    assert summer[:, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("night", "hours"),
    [
        (datetime(2025, 10, 26, tzinfo=UTC), [1, 1.5, 1, 1.5, 2]),
        (datetime(2026, 3, 29, tzinfo=UTC), [0, 0.5, 2, 2.5, 3]),
    ],
)
def test_an_hour_comes_twice_or_never_when_the_clock_changes(
    night: datetime, hours: list[float]
) -> None:
    assert calendar(night, 5)[HOURS].tolist() == hours


@pytest.mark.parametrize(
    ("day", "off"),
    [
        ("2025-12-06", 1),  # Saturday
        ("2025-12-07", 1),  # Sunday
        ("2025-12-08", 0),
        ("2025-12-24", 0),
        ("2025-12-25", 1),
        ("2025-12-26", 1),
        ("2026-01-01", 1),
        ("2026-01-02", 0),  # off in Scotland alone
        ("2026-04-03", 1),  # Good Friday
        ("2026-12-28", 1),  # in place of Boxing Day, a Saturday
        ("2022-09-19", 1),  # a holiday of that year alone
    ],
)
def test_a_day_off_is_a_weekend_or_a_bank_holiday_in_england(day: str, off: int) -> None:
    noon = datetime.fromisoformat(f"{day}T12:00+00:00")
    assert calendar(noon, 1)[OFF, 0] == off


def test_a_holiday_begins_at_midnight_in_london() -> None:
    values = calendar(datetime(2026, 5, 24, 22, 30, tzinfo=UTC), 50)  # before a Monday off
    assert values[WEEKDAY, [0, 1, 48, 49]].tolist() == [6, 0, 0, 1]
    assert values[OFF, [0, 1, 48, 49]].tolist() == [1, 1, 1, 0]
