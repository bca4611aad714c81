"""Issue times: those of a day do not depend on the run that it is part of."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from grid_assets.forecasting.issue_times import issue_times_at
from grid_assets.halfhours import HALF_HOUR, Window, days_window

FIRST, LAST = date(2025, 12, 28), date(2026, 1, 6)


@pytest.mark.parametrize("half_hours", range(1, 49))
def test_a_day_has_the_same_issue_times_in_every_run_at_any_stride(half_hours: int) -> None:
    stride = half_hours * HALF_HOUR
    whole = days_window(FIRST, LAST)
    times = list(issue_times_at(whole, stride, whole.end))
    assert {later - at for at, later in pairwise(times)} == {stride}
    days = [FIRST + timedelta(days=number) for number in range(10)]
    for day in days:
        alone = days_window(day, day)
        again = list(issue_times_at(alone, stride, alone.end))
        assert again == [at for at in times if at in alone]
        assert again, f"{day} has no issue time"


def test_a_stride_that_divides_a_day_starts_at_midnight() -> None:
    day = days_window(FIRST, FIRST)
    times = list(issue_times_at(day, timedelta(hours=3), day.end))
    assert [at.hour for at in times] == [0, 3, 6, 9, 12, 15, 18, 21]


def test_no_issue_time_is_later_than_the_limit() -> None:
    day = days_window(FIRST, FIRST)
    until = day.start + timedelta(hours=7)
    assert list(issue_times_at(Window(day.start, day.end), timedelta(hours=3), until)) == [
        day.start,
        day.start + timedelta(hours=3),
        day.start + timedelta(hours=6),
    ]
