"""What a cycle takes from the portal, against a stub of it: requests, fallbacks, what is new."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from grid_assets.halfhours import HALF_HOUR
from grid_assets.sources.http.errors import (
    ApiError,
    ApiMalformedBody,
    ApiRateLimited,
    ApiServerError,
    ApiUnreachable,
)
from grid_assets.sources.neso_portal import captures, datasets
from grid_assets.sources.neso_portal.captures import Captured, Held, Outcome, cycle
from grid_assets.sources.neso_portal.client import NesoPortal, PortalRefused
from grid_assets.sources.neso_portal.datasets import Turn
from grid_assets.sources.neso_portal.limits import Limits
from grid_assets.sources.publication import Publication
from grid_assets_tests.http_stub import Reply, Stub
from grid_assets_tests.sources.neso_portal import bodies
from grid_assets_tests.sources.neso_portal.bodies import answer, at, csv_of, starts
from grid_assets_tests.sources.neso_portal.conftest import FakeTime, MakePortal

MODIFIED = "2026-08-16T18:25:03.877012"
PUBLISHED = at(MODIFIED)
NOW = at("2026-08-16T18:40")
FIRST = "2026-08-16T18:00"
ROWS = [bodies.embedded(start) for start in starts(FIRST, 602)]
WIND = [bodies.wind(start) for start in starts("2026-08-16T23:00", 48)]
DEMAND = [bodies.demand(start) for start in starts("2026-08-17T23:00", 624)]
OUTTURN = [bodies.outturn(start) for start in starts("2026-08-15T23:00", 30)]


class Portal:
    """Scripts the stub: one reply for each resource, the CSV file and `resource_show`."""

    def __init__(self, stub: Stub) -> None:
        self.stub = stub
        self.modified: object = MODIFIED
        self.csv = Reply(csv_of(ROWS))
        self.rows: dict[str, Reply] = {
            datasets.EMBEDDED.resource: answer(ROWS),
            datasets.DAY_AHEAD_WIND.resource: answer(WIND),
            datasets.DEMAND_2_14_DAYS.resource: answer(DEMAND),
            datasets.DEMAND_UPDATE: answer(OUTTURN),
        }
        stub.script = self.reply

    def reply(self, path: str) -> Reply:
        if path.startswith("/dataset/"):
            return self.csv
        query = parse_qs(urlsplit(path).query)
        if "resource_show" in path:
            shown = {
                "id": query["id"][0],
                "name": "embedded",
                "url": f"{self.stub.url}/dataset/x/download/embedded.csv",
                "last_modified": self.modified,
            }
            return Reply(json.dumps({"success": True, "result": shown}).encode())
        if "offset" in query:
            return answer([], total=602)
        return self.rows[query["resource_id"][0]]

    @property
    def asked(self) -> list[str]:
        """The action or the file of each request, and for the datastore which resource."""
        names = {resource: name for name, resource in RESOURCES.items()}
        found = []
        for path in self.stub.paths:
            parts = urlsplit(path)
            resource = parse_qs(parts.query).get("resource_id", [""])[0]
            found.append(names.get(resource) or parts.path.rpartition("/")[2])
        return found


RESOURCES = {
    "embedded": datasets.EMBEDDED.resource,
    "wind": datasets.DAY_AHEAD_WIND.resource,
    "demand": datasets.DEMAND_2_14_DAYS.resource,
    "outturn": datasets.DEMAND_UPDATE,
}


@pytest.fixture
def served(stub: Stub) -> Portal:
    return Portal(stub)


def held(embedded: datetime | None = None, **captured: datetime) -> Held:
    times: dict[Any, datetime | None] = {**captured}
    return Held(embedded, None, None, times)


def took(portal: NesoPortal, held: Held, now: datetime) -> list[Outcome]:
    return [outcome for _, outcome in cycle(portal, held, now)]


def published(outcomes: Sequence[object]) -> dict[str, int]:
    """The number of half-hours of each series."""
    return {
        row.series: len(row.values)
        for outcome in outcomes
        if isinstance(outcome, Captured)
        for row in outcome.parsed.rows
        if isinstance(row, Publication)
    }


# A cycle


def test_a_cycle_makes_three_requests_two_of_them_to_the_datastore(
    served: Portal, portal: NesoPortal
) -> None:
    outcomes = took(portal, held(day_ahead_wind=NOW, embedded_outturn=NOW), NOW)
    assert served.asked == ["resource_show", "embedded", "demand"]
    assert published(outcomes) == {
        "embedded_wind_mw": 602,
        "embedded_solar_mw": 602,
        "demand_mw": 624,
    }


@pytest.mark.parametrize("turn", list(datasets.EVERY))
def test_the_dataset_that_is_due_is_captured(
    served: Portal, portal: NesoPortal, turn: Turn
) -> None:
    others = {other: NOW for other in datasets.EVERY if other != turn}
    [outcome] = took(portal, held(PUBLISHED, **others), NOW)
    assert isinstance(outcome, Captured)
    assert outcome.parsed.rows
    assert outcome.received_at == NOW
    names = {"day_ahead_wind": "wind", "demand_2_14_days": "demand", "embedded_outturn": "outturn"}
    assert served.asked == ["resource_show", names[turn]]


def test_an_error_of_one_does_not_stop_the_other(served: Portal, portal: NesoPortal) -> None:
    served.modified = None
    served.rows[datasets.DAY_AHEAD_WIND.resource] = Reply(b"x", 500)
    outcomes = took(portal, held(demand_2_14_days=NOW, embedded_outturn=NOW), NOW)
    assert [type(outcome) for outcome in outcomes] == [ApiMalformedBody, ApiServerError]
    named = [
        name for name, _ in cycle(portal, held(demand_2_14_days=NOW, embedded_outturn=NOW), NOW)
    ]
    assert named == ["neso_embedded", "neso_day_ahead_wind"]


def test_nothing_is_due_and_nothing_is_new(served: Portal, portal: NesoPortal) -> None:
    assert took(portal, held(PUBLISHED, **dict.fromkeys(datasets.EVERY, NOW)), NOW) == []
    assert served.asked == ["resource_show"]


# The embedded forecast


@pytest.mark.parametrize("newest", [PUBLISHED, PUBLISHED + timedelta(hours=1)])
def test_a_publication_that_is_not_newer_is_not_fetched(
    served: Portal, portal: NesoPortal, newest: datetime
) -> None:
    assert captures.embedded(portal, newest) is None
    assert served.asked == ["resource_show"]


def test_a_newer_publication_is_stamped_with_the_time_of_its_file(
    served: Portal, portal: NesoPortal
) -> None:
    found = captures.embedded(portal, PUBLISHED - timedelta(seconds=1))
    assert found is not None
    assert {row.published_at for row in found.parsed.rows} == {PUBLISHED}
    assert (found.dataset, found.from_csv) == ("neso_embedded", False)


EARLIER = [bodies.embedded(start) for start in starts("2026-08-16T17:00", 602)]

OUT_OF_ORDER: list[Any] = [
    pytest.param(answer([], total=0), id="empty"),
    pytest.param(answer([], total=602), id="empty, whatever its total"),
    pytest.param(answer(ROWS[:40], total=602), id="being loaded"),
    pytest.param(answer(EARLIER), id="still the one before"),
    pytest.param(Reply(b"x", 500), id="down"),
    pytest.param(Reply(b"x", 404), id="gone"),
    pytest.param(Reply(b"x", 409), id="conflict"),
    pytest.param(Reply(b"<html>"), id="a page"),
    pytest.param(Reply(b'{"success": false}'), id="refused"),
]


@pytest.mark.parametrize("reply", OUT_OF_ORDER)
def test_a_datastore_that_is_out_of_order_is_replaced_by_the_csv(
    served: Portal, portal: NesoPortal, reply: Reply
) -> None:
    served.rows[datasets.EMBEDDED.resource] = reply
    outcomes = took(portal, held(), NOW)
    assert published(outcomes) == {"embedded_wind_mw": 602, "embedded_solar_mw": 602}
    [outcome] = outcomes
    assert isinstance(outcome, Captured)
    assert outcome.from_csv
    # The CSV takes the place of the second dataset (the second page of a search is one more).
    assert served.asked[0] == "resource_show"
    assert served.asked[-1] == "embedded.csv"
    assert len(set(served.asked)) == 3


@pytest.mark.parametrize(
    ("reply", "kind"),
    [(Reply(b"x", 429), ApiRateLimited), (Reply(b"", reset=True), ApiUnreachable)],
)
def test_a_portal_that_is_silent_or_asks_for_less_is_not_asked_for_more(
    served: Portal, portal: NesoPortal, reply: Reply, kind: type[ApiError]
) -> None:
    served.rows[datasets.EMBEDDED.resource] = reply
    with pytest.raises(kind):
        captures.embedded(portal, None)
    assert "embedded.csv" not in served.asked


def test_a_csv_that_fails_as_well_is_the_error(served: Portal, portal: NesoPortal) -> None:
    served.rows[datasets.EMBEDDED.resource] = answer([])
    served.csv = Reply(b"x", 500)
    with pytest.raises(ApiServerError):
        captures.embedded(portal, None)


def test_a_table_without_a_column_is_rejected_not_replaced(
    served: Portal, portal: NesoPortal
) -> None:
    rows = [{name: row[name] for name in row if name != "TIME_GMT"} for row in ROWS]
    served.rows[datasets.EMBEDDED.resource] = answer(rows)
    found = captures.embedded(portal, None)
    assert found is not None
    assert found.parsed.rows == []
    assert found.parsed.rejected[0].reason.startswith("body: the column TIME_GMT is missing")


@pytest.mark.parametrize("reply", [Reply(b"x", 503), Reply(b"<html>")], ids=["down", "a page"])
def test_a_cycle_never_waits_for_its_turn_at_the_datastore(
    served: Portal, make_portal: MakePortal, fake: FakeTime, reply: Reply
) -> None:
    """A second try would take the other dataset's turn of the minute, a third wait for another."""
    for resource in served.rows:
        served.rows[resource] = reply
    portal = make_portal(limits=Limits(fake.clock), retry_budget_s=10)
    outcomes = took(portal, held(demand_2_14_days=NOW, embedded_outturn=NOW), NOW)
    assert served.asked == ["resource_show", "embedded", "embedded.csv"]
    assert published(outcomes) == {"embedded_wind_mw": 602, "embedded_solar_mw": 602}
    outcomes = took(portal, held(PUBLISHED, demand_2_14_days=NOW, embedded_outturn=NOW), NOW)
    assert served.asked[3:] == ["resource_show", "wind"]
    assert len(outcomes) == 1
    assert isinstance(outcomes[0], ApiError)
    assert sum(fake.slept) <= 5  # a second between requests


# Datasets without a time of publication


@pytest.mark.parametrize(
    ("capture", "name", "make", "first"),
    [
        (captures.day_ahead_wind, "wind", bodies.wind, "2026-08-16T23:00"),
        (captures.demand_2_14_days, "demand", bodies.demand, "2026-08-17T23:00"),
    ],
)
def test_the_same_values_again_are_the_same_publication(
    served: Portal,
    portal: NesoPortal,
    fake: FakeTime,
    capture: Any,
    name: str,
    make: Any,
    first: str,
) -> None:
    times = starts(first, 48)

    def serve(rows: list[Any]) -> None:
        served.rows[RESOURCES[name]] = answer(rows)

    serve([make(start) for start in times])
    [row] = capture(portal, None).parsed.rows
    assert row.published_at == fake.utcnow()  # the time of receipt
    assert capture(portal, row).parsed.rows == []

    serve([make(start, 31_000) for start in times])  # corrected
    assert len(capture(portal, row).parsed.rows) == 1
    serve([make(start + 48 * HALF_HOUR) for start in times])  # tomorrow's
    assert len(capture(portal, row).parsed.rows) == 1
    serve([make(start) for start in times[:40]])  # the series ends earlier, and nothing else is new
    assert capture(portal, row).parsed.rows == []
    serve([make(start, 31_000) for start in times[:40]])
    assert len(capture(portal, row).parsed.rows) == 1
    serve([make(start - 48 * HALF_HOUR) for start in times])  # yesterday's came back
    assert capture(portal, row).parsed.rows == []


@pytest.mark.parametrize("refused", [0, 20, 47])
def test_a_publication_with_a_record_that_is_refused_is_captured_once(
    served: Portal, portal: NesoPortal, refused: int
) -> None:
    rows = [bodies.wind(start) for start in starts("2026-08-16T23:00", 48)]
    whole = captures.day_ahead_wind(portal, None).parsed.rows
    served.rows[RESOURCES["wind"]] = answer(
        [
            {**row, "Incentive_forecast": "n/a"} if n == refused else row
            for n, row in enumerate(rows)
        ]
    )
    first = captures.day_ahead_wind(portal, None).parsed
    assert len(first.rejected) == 1
    [row] = first.rows
    held_values = {start: row.values.get(start) for start in starts("2026-08-16T23:00", 48)}
    held_row = replace(row, values=held_values)  # as an array has it, with null in the hole
    again = captures.day_ahead_wind(portal, held_row).parsed
    assert (again.rows, len(again.rejected)) == ([], 1)
    assert captures.day_ahead_wind(portal, whole[0]).parsed.rows == []  # a hole is no news
    served.rows[RESOURCES["wind"]] = answer(rows)
    assert len(captures.day_ahead_wind(portal, held_row).parsed.rows) == 1  # it is whole again


def test_an_empty_datastore_is_an_error_not_an_empty_publication(
    served: Portal, portal: NesoPortal
) -> None:
    served.rows[RESOURCES["wind"]] = answer([])
    with pytest.raises(ApiError, match="sent 0 rows"):
        captures.day_ahead_wind(portal, None)


def test_the_outturn_of_the_update_is_captured(served: Portal, portal: NesoPortal) -> None:
    found = captures.embedded_outturn(portal)
    assert [row.period_start for row in found.parsed.rows] == starts("2026-08-15T23:00", 30)


def test_a_refusal_keeps_its_reason(served: Portal, portal: NesoPortal) -> None:
    body = {"success": False, "error": {"message": "Not found", "__type": "Not Found Error"}}
    served.rows[datasets.DEMAND_UPDATE] = Reply(json.dumps(body).encode())
    with pytest.raises(PortalRefused, match="refused datastore_search with HTTP 200: Not found"):
        captures.embedded_outturn(portal)
