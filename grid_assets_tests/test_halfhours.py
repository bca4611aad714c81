"""Half-hours, windows and the API's format for times; no clock and no database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

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

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("instant", "start"),
    [
        (NOON, NOON),
        (NOON.replace(minute=29, second=59, microsecond=999_999), NOON),
        (NOON.replace(minute=30), NOON.replace(minute=30)),
        (NOON.replace(minute=59, second=59), NOON.replace(minute=30)),
        # 15:40 in Kathmandu is 09:55 UTC, whose half-hours start a quarter off the local ones
        (
            datetime(2026, 1, 10, 15, 40, tzinfo=timezone(timedelta(hours=5, minutes=45))),
            datetime(2026, 1, 10, 9, 30, tzinfo=UTC),
        ),
    ],
)
def test_an_instant_belongs_to_the_half_hour_that_began_last(
    instant: datetime, start: datetime
) -> None:
    assert floor(instant) == start
    assert floor(instant).tzinfo is UTC


def test_a_time_without_a_zone_is_refused() -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(ValueError, match="no time zone"):
        floor(naive)
    with pytest.raises(ValueError, match="not a UTC half-hour"):
        Window(naive, NOON)
    with pytest.raises(ValueError, match="not a UTC half-hour"):
        Window(NOON, naive)


@pytest.mark.parametrize(
    ("start", "end", "fault"),
    [
        (NOON + timedelta(minutes=17), NOON + DAY, "not a UTC half-hour"),
        (NOON, NOON + timedelta(seconds=1), "not a UTC half-hour"),
        (NOON.astimezone(timezone(timedelta(hours=1))), NOON + DAY, "not a UTC half-hour"),
        (NOON, NOON - HALF_HOUR, "before it starts"),
    ],
)
def test_a_window_off_the_grid_or_backwards_is_refused(
    start: datetime, end: datetime, fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        Window(start, end)


def test_a_window_holds_its_start_and_not_its_end() -> None:
    window = Window(NOON, NOON + DAY)
    assert NOON in window
    assert NOON + DAY - HALF_HOUR in window
    assert NOON + DAY not in window
    assert NOON - HALF_HOUR not in window
    assert window.half_hours == 48
    assert str(window) == "2026-01-10T12:00Z to 2026-01-11T12:00Z"


def test_an_empty_window_holds_nothing_and_splits_into_nothing() -> None:
    empty = Window(NOON, NOON)
    assert NOON not in empty
    assert empty.half_hours == 0
    assert list(empty.split(DAY)) == []


@pytest.mark.parametrize("days", [1, 13, 14, 15, 28, 29, 365])
def test_the_parts_of_a_window_touch_and_cover_it_exactly(days: int) -> None:
    window = days_window(date(2025, 1, 1), date(2025, 1, 1) + timedelta(days=days - 1))
    parts = list(window.split(14 * DAY))
    assert (parts[0].start, parts[-1].end) == (window.start, window.end)
    assert all(part.end - part.start <= 14 * DAY for part in parts)
    assert all(left.end == right.start for left, right in pairwise(parts))
    assert sum(part.half_hours for part in parts) == 48 * days
    assert len(parts) == -(-days // 14)


@pytest.mark.parametrize(
    ("day", "settlement_periods"),
    [(date(2026, 3, 29), 46), (date(2026, 10, 25), 50), (date(2026, 6, 1), 48)],
)
def test_a_utc_day_has_48_half_hours_where_the_london_day_has_46_or_50(
    day: date, settlement_periods: int
) -> None:
    window = days_window(day, day)
    assert window.half_hours == 48
    assert window.end - window.start == DAY
    local_start = datetime(day.year, day.month, day.day, tzinfo=LONDON)
    local_end = datetime.combine(day + DAY, local_start.time(), tzinfo=LONDON)
    length = local_end.astimezone(UTC) - local_start.astimezone(UTC)
    assert length // HALF_HOUR == settlement_periods


def test_days_are_included_at_both_ends() -> None:
    window = days_window(date(2024, 2, 28), date(2024, 3, 1))
    assert window == Window(day_start(date(2024, 2, 28)), day_start(date(2024, 3, 2)))
    assert window.half_hours == 3 * 48


@pytest.mark.parametrize("text", ["2025-12-31T23:30Z", "2025-12-31T23:30:00Z"])
def test_the_two_spellings_of_the_api_are_read(text: str) -> None:
    assert parse_api_time(text) == datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    assert api_time(parse_api_time(text)) == "2025-12-31T23:30Z"


def test_a_time_of_another_zone_is_written_in_utc() -> None:
    summer = datetime(2026, 7, 1, 0, 30, tzinfo=LONDON)
    assert api_time(summer) == "2026-06-30T23:30Z"


@pytest.mark.parametrize(
    "text",
    [
        "2025-12-31T23:30Z",
        "2025-12-31T23:30z",
        "2025-12-31 23:30:00Z",
        "2025-12-31T23:30:00.000Z",
        "2025-12-31T23:30:00,000000000Z",
        "2025-12-31T23:30+00:00",
        "2025-12-31T23:30-00:00",
        "2026-01-01T00:30:00+01:00",
        "2026-01-01T05:15+0545",
        "2025-12-31T15:30:00.0-08",
    ],
)
def test_any_unambiguous_spelling_of_an_instant_is_read(text: str) -> None:
    found = parse_api_time(text)
    assert (found, found.utcoffset()) == (datetime(2025, 12, 31, 23, 30, tzinfo=UTC), timedelta(0))


@pytest.mark.parametrize(
    "text",
    [
        "2025-12-31T23:30",
        "2025-12-31T23:30+25:00",
        "2025-12-31T23:30+1",
        "2025-12-31T23:30 GMT",
        "2025-12-31T23:30+00:00:00",
        "2025-W01-1T00:00Z",
        "0001-01-01T00:00+01:00",
        "2025-12-31",
        "20251231T2330Z",
        "2025-12-31T23:30Z\n",
        " 2025-12-31T23:30Z",
        "2025-02-30T00:00Z",
        "2025-12-31T24:00Z",
        "2025-12-31T23:60Z",
        "0000-01-01T00:00Z",
        "２０２５-12-31T23:30Z",
        "",
        None,
        1_767_223_800,
        datetime(2025, 12, 31, tzinfo=UTC),
        ["2025-12-31T23:30Z"],
    ],
)
def test_any_other_spelling_of_time_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_api_time(text)


def test_the_refusal_of_a_time_stays_short_whatever_was_sent() -> None:
    with pytest.raises(ValueError, match="is not a UTC time") as refused:
        parse_api_time("x" * 1_000_000)
    assert len(str(refused.value)) < 200
