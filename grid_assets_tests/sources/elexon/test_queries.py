"""Which requests a window becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid_assets.halfhours import DAY, HALF_HOUR, Window
from grid_assets.sources.elexon import queries
from grid_assets.sources.elexon.queries import LATE, Query
from grid_assets_tests.properties import PROPERTY
from grid_assets_tests.sources.elexon.records import at, window

Queries = Callable[[Window], Iterator[Query]]
ALL: tuple[Queries, ...] = (
    queries.wind_forecasts,
    queries.demand_forecasts,
    queries.generation,
    queries.demand_outturn,
)

windows = st.builds(
    lambda start, length: Window(
        datetime(2025, 1, 1, tzinfo=UTC) + start * HALF_HOUR,
        datetime(2025, 1, 1, tzinfo=UTC) + (start + length) * HALF_HOUR,
    ),
    st.integers(0, 700 * 48),
    st.integers(0, 30 * 48),
)


def test_forecasts_are_asked_for_by_time_of_publication() -> None:
    [query] = queries.wind_forecasts(window("2026-05-05T00:00Z", "2026-05-12T00:00Z"))
    assert (query.path, query.params) == (
        "/datasets/WINDFOR",
        {"publishDateTimeFrom": "2026-05-05T00:00Z", "publishDateTimeTo": "2026-05-12T00:00Z"},
    )


def test_demand_forecasts_are_asked_for_day_by_day() -> None:
    asked = [
        (query.params["publishDateTimeFrom"], query.params["publishDateTimeTo"])
        for query in queries.demand_forecasts(window("2026-05-05T06:30Z", "2026-05-07T00:00Z"))
    ]
    assert asked == [
        ("2026-05-05T06:30Z", "2026-05-06T06:30Z"),
        ("2026-05-06T06:30Z", "2026-05-07T00:00Z"),
    ]


@pytest.mark.parametrize(
    ("start", "end", "first_day", "last_day"),
    [
        ("2026-01-05T00:00Z", "2026-01-06T00:00Z", "2026-01-05", "2026-01-05"),
        ("2026-07-05T00:00Z", "2026-07-06T00:00Z", "2026-07-05", "2026-07-06"),
        ("2026-07-05T22:30Z", "2026-07-05T23:00Z", "2026-07-05", "2026-07-05"),
        ("2026-07-05T23:00Z", "2026-07-05T23:30Z", "2026-07-06", "2026-07-06"),
        ("2026-03-29T00:00Z", "2026-03-29T23:00Z", "2026-03-29", "2026-03-29"),  # 46 periods
        ("2026-10-24T23:00Z", "2026-10-26T00:00Z", "2026-10-25", "2026-10-25"),  # 50 periods
    ],
)
def test_generation_is_asked_for_by_london_day(
    start: str, end: str, first_day: str, last_day: str
) -> None:
    [query] = queries.generation(window(start, end))
    assert query.params == {"settlementDateFrom": first_day, "settlementDateTo": last_day}


def test_an_outturn_that_is_published_late_is_asked_for_too() -> None:
    [query] = queries.demand_outturn(window("2026-05-05T00:00Z", "2026-05-05T06:00Z"))
    assert query.params == {
        "publishDateTimeFrom": "2026-05-05T00:30Z",
        "publishDateTimeTo": "2026-05-05T18:00Z",
    }
    assert at("2026-05-05T06:00Z") + LATE == at("2026-05-05T18:00Z")


@PROPERTY
@given(windows)
def test_requests_cover_the_window_once_and_stay_within_the_apis_limits(window: Window) -> None:
    for asked in ALL:
        pieces = list(asked(window))
        wanted = [piece.wanted for piece in pieces]
        assert sum(piece.half_hours for piece in wanted) == window.half_hours
        if wanted:
            assert (wanted[0].start, wanted[-1].end) == (window.start, window.end)
            assert all(a.end == b.start for a, b in pairwise(wanted))
    for query in queries.demand_forecasts(window):
        assert query.last - query.first <= DAY
    for query in queries.generation(window):
        # Both days count, and a London day has up to 25 hours.
        days = query.params["settlementDateFrom"], query.params["settlementDateTo"]
        first, last = map(datetime.fromisoformat, days)
        assert last - first <= timedelta(days=6)
        assert query.first <= query.wanted.start
        assert query.wanted.end - HALF_HOUR <= query.last
