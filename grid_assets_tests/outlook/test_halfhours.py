"""From steps as published to true half-hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from grid_assets.halfhours import HALF_HOUR
from grid_assets.outlook.halfhours import LONGEST_HALF_HOURS, half_hours, not_begun

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_an_hour_of_windfor_ends_at_its_label_and_leans_towards_its_neighbours() -> None:
    start, values = half_hours("elexon_windfor", 60, NOON, [1000, 2000, 1600])
    assert start == NOON - HOUR
    assert values == [1000, 1250, 1750, 1900, 1700, 1600]


def test_an_hour_beside_a_hole_keeps_its_own_value() -> None:
    _, values = half_hours("elexon_windfor", 60, NOON, [1000, None, 1600, 2000])
    assert values == [1000, 1000, None, None, 1600, 1700, 1900, 2000]


def test_the_hours_of_another_source_begin_at_their_labels() -> None:
    start, values = half_hours("some_hourly", 60, NOON, [1000, 2000])
    assert (start, values) == (NOON, [1000, 1250, 1750, 2000])


def test_half_hours_are_taken_as_they_are() -> None:
    values = [1.0, None, 3.0]
    assert half_hours("elexon_ndf", 30, NOON, values) == (NOON, values)


@pytest.mark.parametrize("odd", [-1, 100_001, float("nan"), float("inf")])
def test_a_value_that_is_no_power_is_a_hole(odd: float) -> None:
    assert half_hours("elexon_ndf", 30, NOON, [0, odd, 100_000])[1] == [0, None, 100_000]
    assert half_hours("elexon_windfor", 60, NOON, [8, odd])[1] == [8, 8, None, None]


@pytest.mark.parametrize(
    ("known_from", "start", "left"),
    [
        (NOON - HOUR, NOON, [1, 2, 3]),
        (NOON, NOON, [1, 2, 3]),
        (NOON + timedelta(seconds=1), NOON + HALF_HOUR, [2, 3]),
        (NOON + HOUR, NOON + HOUR, [3]),
        (NOON + 2 * HOUR, NOON + 2 * HOUR, []),
        (NOON + timedelta(days=400), NOON + timedelta(days=400), []),
    ],
)
def test_half_hours_that_had_begun_are_dropped(
    known_from: datetime, start: datetime, left: list[float | None]
) -> None:
    assert not_begun(NOON, [1, 2, 3], known_from) == (start, left)


def test_empty_edges_are_dropped_and_holes_are_kept() -> None:
    values: list[float | None] = [1, None, 3, None, 5, None]
    assert not_begun(NOON, values, NOON + HALF_HOUR) == (NOON + HOUR, [3, None, 5])
    assert not_begun(NOON, [None, None], NOON) == (NOON, [])


def test_seven_days_of_a_publication_are_kept() -> None:
    _, values = not_begun(NOON, [1.0] * 700, NOON + HOUR)
    assert len(values) == LONGEST_HALF_HOURS
