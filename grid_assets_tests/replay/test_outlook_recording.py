"""The recorded generation, demand and wind forecasts, and the forecasts simulated from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import mean, pvariance

import pytest

from grid_assets.halfhours import HALF_HOUR
from grid_assets.replay import simulated_outlook as simulated
from grid_assets.replay.outlook_recording import (
    FUEL_TYPES,
    WIND,
    OutlookView,
    load_outlook_recording,
)
from grid_assets.replay.recording import RECORDED_UNTIL, WEEK, WHOLE_UNTIL

FIRST = datetime(2025, 9, 29, tzinfo=UTC)
ISSUE = datetime(2025, 11, 3, 12, tzinfo=UTC)
DAY_AHEAD = timedelta(hours=24)

Forecast = Callable[[datetime, datetime], int]
SERIES: dict[str, tuple[Forecast, int, float]] = {
    "demand": (lambda issue, at: simulated.demand(30_000, issue, at), 30_000, 0.03 * 30_000),
    "embedded wind": (
        lambda issue, at: simulated.embedded_wind(3_000, 6_600, issue, at),
        3_000,
        0.06 * (3_000 * 6_600) ** 0.5,
    ),
    "embedded solar": (
        lambda issue, at: simulated.embedded_solar(8_000, issue, at),
        8_000,
        0.15 * 8_000,
    ),
    "metered wind": (
        lambda issue, at: simulated.metered_wind(10_000, issue, at),
        10_000,
        0.09 * (10_000 * 25_366) ** 0.5,
    ),
}
"""A series' forecast of a constant truth, that truth, and the mean absolute error a day ahead."""


def test_the_outturn_is_whole_and_plausible() -> None:
    recording = load_outlook_recording()
    starts = list(recording.outturn)
    assert starts == [FIRST + step * HALF_HOUR for step in range(4_512)]
    assert list(recording.embedded) == starts
    assert starts[-1] + HALF_HOUR == WHOLE_UNTIL
    assert list(FUEL_TYPES) == sorted(FUEL_TYPES)
    for row in recording.outturn.values():
        assert len(row.generation) == 20
        assert 15_000 < row.demand < row.transmission_demand < 60_000
    assert all(0 <= e.wind <= e.wind_capacity for e in recording.embedded.values())
    assert all(0 <= e.solar <= e.solar_capacity for e in recording.embedded.values())


def test_wind_forecasts_are_hourly_facts_of_eight_publications_a_day() -> None:
    publications = load_outlook_recording().wind_forecasts
    assert sum(map(len, publications.values())) == 5_142
    by_day = Counter(published.date() for published in publications)
    assert set(list(by_day.values())[1:-1]) == {8}
    assert max(publications) < RECORDED_UNTIL
    for published, hours in publications.items():
        assert all(hour.minute == 0 and hour > published for hour in hours)
        assert all(0 < mw < 30_000 for mw in hours.values())


def test_a_wind_forecast_is_of_the_hour_that_ends_at_its_label() -> None:
    recording = load_outlook_recording()

    def spread(offset: timedelta) -> float:
        errors = [
            mw - mean(recording.outturn[at + step * HALF_HOUR].generation[WIND] for step in (0, 1))
            for hours in recording.wind_forecasts.values()
            for hour, mw in hours.items()
            if (at := hour + offset) in recording.outturn and at + HALF_HOUR in recording.outturn
        ]
        return pvariance(errors)

    assert spread(-timedelta(hours=1)) < min(spread(timedelta(0)), spread(-timedelta(hours=2)))


def test_a_view_moves_everything_by_the_same_weeks() -> None:
    recording = load_outlook_recording()
    still, moved = OutlookView(recording, 0), OutlookView(recording, 50)
    by = 50 * WEEK
    assert moved.recorded.start - still.recorded.start == by
    assert moved.outturn(ISSUE + by) == still.outturn(ISSUE) is not None
    assert moved.embedded(ISSUE + by) == still.embedded(ISSUE) is not None
    start = ISSUE + DAY_AHEAD
    for forecast in ("demand_forecast", "wind_forecast", "embedded_forecast"):
        value = getattr(still, forecast)(ISSUE, start)
        assert value is not None
        assert getattr(moved, forecast)(ISSUE + by, start + by) == value
    [(published, hours)] = still.wind_publications(ISSUE - timedelta(minutes=40), ISSUE)
    [(later, later_hours)] = moved.wind_publications(ISSUE - timedelta(minutes=40) + by, ISSUE + by)
    assert later - published == by
    assert {hour - by: mw for hour, mw in later_hours.items()} == hours


def test_nothing_is_forecast_where_the_truth_is_not_recorded() -> None:
    view = OutlookView(load_outlook_recording(), 0)
    after = view.recorded.end
    assert view.outturn(after) is view.embedded(after) is None
    assert view.demand_forecast(ISSUE, after) is None
    assert view.wind_forecast(ISSUE, after) is None
    assert view.embedded_forecast(ISSUE, after) is None


@pytest.mark.parametrize("name", SERIES)
def test_a_simulated_error_has_the_stated_size_and_grows_with_lead(name: str) -> None:
    forecast, truth, expected = SERIES[name]
    issues = [ISSUE + timedelta(hours=17 * step) for step in range(600)]

    def size(lead: timedelta) -> float:
        at = lead - HALF_HOUR
        return mean(abs(forecast(issue, issue + at) - truth) for issue in issues)

    assert size(DAY_AHEAD) == pytest.approx(expected, rel=0.15)
    assert size(HALF_HOUR) < size(DAY_AHEAD) < size(timedelta(days=7))


def test_series_have_errors_of_their_own_that_are_the_same_in_every_process() -> None:
    start = ISSUE + DAY_AHEAD
    assert [forecast(ISSUE, start) for forecast, _, _ in SERIES.values()] == [
        28_864,
        3_500,
        6_568,
        8_568,
    ]


def test_there_is_no_sun_at_night_and_no_wind_above_the_capacity() -> None:
    starts = [ISSUE + step * HALF_HOUR for step in range(1, 600)]
    assert {simulated.embedded_solar(0, ISSUE, start) for start in starts} == {0}
    assert max(simulated.embedded_wind(6_500, 6_600, ISSUE, start) for start in starts) <= 6_600
    assert min(simulated.embedded_wind(10, 6_600, ISSUE, start) for start in starts) >= 5
