"""What a cycle asks for, how long it waits, and what a backfill would ask for. Nothing is sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from grid_assets.halfhours import Window
from grid_assets.outlook import archive, cycle
from grid_assets.outlook.sources import FUELHH, INDO, Answer, Taken, why_off
from grid_assets.settings import Settings
from grid_assets.sources.elexon.client import ElexonApi
from grid_assets.sources.elexon.payloads import NDF, WINDFOR
from grid_assets.sources.http.errors import ApiError, ApiUnreachable
from grid_assets.sources.neso_portal import datasets
from grid_assets.sources.publication import Publication
from grid_assets.telemetry.due import Range

NOW = datetime(2026, 1, 5, 12, 40, tzinfo=UTC)


def answered(dataset: str) -> Taken:
    return Taken(dataset, Answer([], [], NOW, False))


def test_a_source_that_hangs_is_not_waited_for_and_what_it_sent_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cycle, "LONGEST_S", 0.2)
    ends = threading.Event()

    def take() -> Iterator[Taken]:
        yield answered(WINDFOR)
        ends.wait(60)
        yield answered(NDF)

    source = cycle.Background("elexon", cycle.OF_OUTLOOK, take)
    wind, demand = source.taken(cycle.OF_OUTLOOK)
    ends.set()
    assert wind == answered(WINDFOR)
    assert demand.dataset == NDF
    assert isinstance(demand.outcome, ApiUnreachable)
    assert "had not sent everything after 0 s. The cycle goes on without it" in str(demand.outcome)


def test_what_is_there_is_not_kept_waiting_for_the_rest_of_its_source() -> None:
    ends = threading.Event()

    def take() -> Iterator[Taken]:
        yield answered(WINDFOR)
        ends.wait(60)

    source = cycle.Background("elexon", cycle.OF_OUTLOOK, take)
    assert source.taken({WINDFOR}) == [answered(WINDFOR)]
    ends.set()


def test_a_fault_of_ours_counts_for_what_had_not_arrived() -> None:
    def take() -> Iterator[Taken]:
        yield answered(WINDFOR)
        raise ZeroDivisionError("x")

    wind, demand = cycle.Background("elexon", cycle.OF_OUTLOOK, take).taken(cycle.OF_OUTLOOK)
    assert not isinstance(wind.outcome, ApiError)
    assert "ZeroDivisionError" in str(demand.outcome)


def test_a_dataset_that_is_not_due_is_no_error_when_its_source_ends() -> None:
    source = cycle.Background("neso_portal", {datasets.EMBEDDED.source}, lambda: iter(()))
    assert source.taken({datasets.EMBEDDED.source, datasets.OUTTURN_SOURCE}) == []


@pytest.mark.parametrize(
    ("newest", "start"),
    [
        (None, datetime(2026, 1, 4, tzinfo=UTC)),
        (NOW - timedelta(days=3), datetime(2026, 1, 4, tzinfo=UTC)),
        # so short a silence at the end of a day is not noticed later
        (datetime(2026, 1, 3, 19, 5, tzinfo=UTC), datetime(2026, 1, 3, 19, 0, tzinfo=UTC)),
        (datetime(2026, 1, 3, 18, 55, tzinfo=UTC), datetime(2026, 1, 4, tzinfo=UTC)),
        (datetime(2026, 1, 5, 10, 44, 8, tzinfo=UTC), datetime(2026, 1, 5, 10, 30, tzinfo=UTC)),
    ],
)
def test_forecasts_are_asked_for_since_the_newest_held_or_since_yesterday(
    newest: datetime | None, start: datetime
) -> None:
    asked: dict[str, Window] = {}

    def fetch(name: str) -> Callable[[Window], Iterator[Any]]:
        def one(window: Window) -> Iterator[Any]:
            asked[name] = window
            return iter([(window, ApiError(name, path=name))])

        return one

    api = SimpleNamespace(
        wind_forecast=fetch(WINDFOR),
        demand_forecast=fetch(NDF),
        generation=fetch(FUELHH),
        demand_outturn=fetch(INDO),
    )
    held = {}
    if newest:
        held[WINDFOR] = Publication(WINDFOR, "wind_mw", newest, 60, {})
    outturn = Window(datetime(2026, 1, 4, tzinfo=UTC), datetime(2026, 1, 5, 13, tzinfo=UTC))
    known = cycle.Known(held, {})
    taken = list(cycle.take_elexon(cast(ElexonApi, api), known, outturn, NOW))
    assert [one.dataset for one in taken] == [WINDFOR, NDF, FUELHH, INDO]
    end = datetime(2026, 1, 5, 13, 0, tzinfo=UTC)
    assert asked == {
        WINDFOR: Window(start, end),
        NDF: Window(datetime(2026, 1, 4, tzinfo=UTC), end),
        FUELHH: outturn,
        INDO: outturn,
    }


def test_a_backfill_knows_how_long_the_portals_limit_makes_it() -> None:
    month = Range(date(2026, 1, 1), date(2026, 1, 31))
    pieces = archive.everything(month, ["elexon", "neso_portal"])
    requests = {piece.dataset: piece.datastore_requests for piece in pieces}
    assert requests == {
        WINDFOR: 0,
        NDF: 0,
        datasets.EMBEDDED.source: 32,
        datasets.DAY_AHEAD_WIND.source: 2,
        datasets.DAY_AHEAD_DEMAND.source: 2,
    }
    assert archive.longest_s(pieces) == (36 - 2) * 30
    assert archive.longest_s(archive.everything(month, ["elexon"])) == 0


def test_a_source_is_off_without_an_address_or_for_recorded_data_at_its_public_one() -> None:
    public = Settings(elexon_url="https://data.elexon.co.uk/bmrs/api/v1", neso_portal_url=None)
    assert why_off(public, "live", "elexon") is None
    assert "holds recorded data" in str(why_off(public, "replay", "elexon"))
    replay = Settings(elexon_url="http://127.0.0.1:1/elexon")
    assert why_off(replay, "replay", "elexon") is None
    assert why_off(public, "live", "neso_portal") == (
        "Switched off: GRID_NESO_PORTAL_URL is empty."
    )
