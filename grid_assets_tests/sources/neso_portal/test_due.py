"""Which dataset is asked for in a cycle, and how fast the portal may be asked."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from grid_assets.halfhours import HALF_HOUR
from grid_assets.sources.neso_portal.datasets import (
    EMBEDDED_ARCHIVE,
    EVERY,
    HISTORIC_DEMAND,
    Named,
    Turn,
    due,
)
from grid_assets.sources.neso_portal.limits import Limits
from grid_assets_tests.sources.neso_portal.bodies import at

NOW = at("2026-08-16T12:05")


def ago(**hours: float) -> dict[Turn, datetime | None]:
    captured: dict[Any, datetime | None] = {
        turn: NOW - timedelta(hours=age) for turn, age in hours.items()
    }
    return captured


@pytest.mark.parametrize(
    ("captured", "turn"),
    [
        (ago(day_ahead_wind=1, demand_2_14_days=2, embedded_outturn=2.9), None),
        (ago(day_ahead_wind=3, demand_2_14_days=2, embedded_outturn=2.9), "day_ahead_wind"),
        (ago(day_ahead_wind=3, demand_2_14_days=4, embedded_outturn=3.5), "demand_2_14_days"),
        (ago(day_ahead_wind=3, demand_2_14_days=4, embedded_outturn=5), "embedded_outturn"),
        (ago(day_ahead_wind=5, embedded_outturn=5), "demand_2_14_days"),  # never captured
        # captured by a clock that was ahead
        (ago(day_ahead_wind=5, demand_2_14_days=-24, embedded_outturn=1), "demand_2_14_days"),
    ],
)
def test_the_most_overdue_dataset_is_asked_for(
    captured: dict[Turn, datetime | None], turn: Turn | None
) -> None:
    assert due(captured, NOW) == turn


@pytest.mark.parametrize("captured", [{}, ago(day_ahead_wind=99, demand_2_14_days=50)])
def test_those_that_fail_for_long_take_turns(captured: dict[Turn, datetime | None]) -> None:
    """Otherwise one that always fails would be the most overdue for ever."""
    turns = [due(captured, NOW + step * HALF_HOUR) for step in range(3)]
    assert set(turns) == set(EVERY)


def test_in_a_day_of_cycles_each_is_asked_for_every_three_hours() -> None:
    captured: dict[Turn, datetime | None] = {}
    asked: list[Turn] = []
    for step in range(48):
        now = NOW + step * HALF_HOUR
        if turn := due(captured, now):
            captured[turn] = now
            asked.append(turn)
    assert {turn: asked.count(turn) for turn in EVERY} == dict.fromkeys(EVERY, 8)


def test_archives_know_their_files_and_name_those_of_unlisted_years() -> None:
    assert EMBEDDED_ARCHIVE.files_of(date(2024, 5, 1)) == ["06abd00a-ef6b-488b-9b6d-5e08fdc0c890"]
    assert len(EMBEDDED_ARCHIVE.files_of(date(2026, 6, 12))) == 2
    assert EMBEDDED_ARCHIVE.files_of(date(2027, 1, 1)) == [
        Named("embedded-wind-and-solar-forecasts", "embedded_archive_2027")
    ]
    assert HISTORIC_DEMAND.files_of(date(2021, 1, 1)) == [
        Named("historic-demand-data", "historic_demand_data_2021")
    ]


# Limits


def most_within(times: list[float], seconds: float) -> int:
    return max(sum(start <= other < start + seconds for other in times) for start in times)


def test_requests_of_any_threads_keep_both_limits() -> None:
    limits = Limits(clock=lambda: 100.0)
    given: list[tuple[float, bool]] = []
    lock = threading.Lock()

    def ask(datastore: bool) -> None:
        for _ in range(5):
            wait_s = limits.reserve(datastore=datastore)
            with lock:
                given.append((100 + wait_s, datastore))

    threads = [threading.Thread(target=ask, args=(number % 2 == 0,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = sorted(time for time, _ in given)
    assert len(times) == 20
    assert all(later - earlier >= 1 for earlier, later in pairwise(times))
    assert most_within([time for time, datastore in given if datastore], 60) == 2


def test_a_rested_portal_is_asked_at_once() -> None:
    now = 100.0
    limits = Limits(clock=lambda: now)
    assert [limits.reserve(datastore=kind) for kind in (False, True, True, True)] == [0, 1, 2, 61]
    now += 200
    assert [limits.reserve(datastore=kind) for kind in (True, False)] == [0, 1]
