"""Properties of half-hour arithmetic, over all years and time zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from grid_assets.halfhours import (
    DAY,
    HALF_HOUR,
    Window,
    api_time,
    day_start,
    days_window,
    floor,
    parse_api_time,
)
from grid_assets_tests.properties import PROPERTY

# Two days inside what datetime can hold, so that no time zone moves an instant out of it.
EARLIEST, LATEST = day_start(date(1, 1, 3)), day_start(date(9999, 12, 29))

utc_instants = st.timedeltas(timedelta(0), LATEST - EARLIEST).map(lambda after: EARLIEST + after)
half_hours = utc_instants.map(floor)
zones = st.integers(-24 * 60 + 1, 24 * 60 - 1).map(lambda m: timezone(timedelta(minutes=m)))
instants = st.builds(datetime.astimezone, utc_instants, zones)


@PROPERTY
@given(instants)
def test_floor_is_the_last_utc_half_hour_that_has_begun(instant: datetime) -> None:
    start = floor(instant)
    assert start <= instant < start + HALF_HOUR
    assert start.tzinfo is UTC
    assert (start.minute % 30, start.second, start.microsecond) == (0, 0, 0)
    assert floor(start) == start
    assert floor(instant.astimezone(UTC)) == start


@PROPERTY
@given(half_hours, st.integers(0, 2000), st.integers(1, 700))
def test_the_pieces_of_a_window_cover_it_exactly(start: datetime, count: int, longest: int) -> None:
    window = Window(start, min(start + count * HALF_HOUR, LATEST))
    pieces = list(window.split(longest * HALF_HOUR))
    assert sum(piece.half_hours for piece in pieces) == window.half_hours
    assert all(0 < piece.half_hours <= longest for piece in pieces)
    assert all(left.end == right.start for left, right in pairwise(pieces))
    assert all(piece.half_hours == longest for piece in pieces[:-1])
    if pieces:
        assert (pieces[0].start, pieces[-1].end) == (window.start, window.end)


@PROPERTY
@given(half_hours, st.integers(0, 100), st.integers(-5, 105))
def test_a_window_holds_as_many_half_hours_as_it_counts(
    start: datetime, count: int, step: int
) -> None:
    window = Window(start, start + count * HALF_HOUR)
    assert window.half_hours == count
    assert (start + step * HALF_HOUR in window) == (0 <= step < count)


@PROPERTY
@given(instants)
def test_an_instant_is_read_back_from_its_spelling_to_the_minute(instant: datetime) -> None:
    text = api_time(instant)
    assert len(text) == len("2025-12-31T23:30Z")
    assert timedelta(0) <= instant - parse_api_time(text) < timedelta(minutes=1)
    assert api_time(parse_api_time(text)) == text


@PROPERTY
@given(st.dates(date(1, 1, 2), date(9900, 1, 1)), st.integers(0, 1000))
def test_a_range_of_days_has_48_half_hours_a_day(first: date, further: int) -> None:
    window = days_window(first, first + timedelta(days=further))
    assert window.half_hours == 48 * (further + 1)
    assert [piece.start for piece in window.split(DAY)] == [
        day_start(first + timedelta(days=day)) for day in range(further + 1)
    ]
