"""The client against a real HTTP server: CKAN's envelope, pages, SQL, limits, downloads."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from grid_assets.settings import Settings
from grid_assets.sources.http.errors import (
    ApiBadRequest,
    ApiBodyTooLarge,
    ApiError,
    ApiMalformedBody,
    ApiNotFound,
    ApiRateLimited,
    ApiServerError,
    ApiUnexpectedStatus,
    ApiUnreachable,
    ApiWrongKind,
)
from grid_assets.sources.neso_portal.client import (
    PAGE_ROWS,
    SQL_ROWS,
    NesoPortal,
    PortalIncomplete,
    PortalRefused,
    Resource,
)
from grid_assets.sources.neso_portal.download import SERVICE
from grid_assets.sources.neso_portal.limits import OF_PROCESS, Limits, Unlimited
from grid_assets_tests.http_stub import Reply, Stub, serving
from grid_assets_tests.sources import failures
from grid_assets_tests.sources.neso_portal import bodies
from grid_assets_tests.sources.neso_portal.bodies import FIXTURES, answer, at, csv_of, starts
from grid_assets_tests.sources.neso_portal.conftest import FakeTime, MakePortal

ID = "db6c038f-98af-4570-ab60-24d71ebd0ae5"
ROWS = [bodies.embedded(start) for start in starts("2026-08-16T18:00", 3)]
NOT_FOUND = (FIXTURES / "error_404_package_show.json").read_bytes()
UNKNOWN_ACTION = (FIXTURES / "error_400_unknown_action.json").read_bytes()
CONFLICT = json.dumps(
    {
        "help": "",
        "success": False,
        "error": {"__type": "Validation Error", "resource_id": ["Missing value"]},
    }
).encode()
HTML = Reply(b"<html>Just a moment...</html>", headers={"Content-Type": "text/html"})


def success(result: Any) -> Reply:
    return Reply(json.dumps({"help": "", "success": True, "result": result}).encode())


def query(path: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}


# The envelope


def test_a_search_gives_the_rows_their_columns_and_the_time_of_receipt(
    stub: Stub, portal: NesoPortal, fake: FakeTime
) -> None:
    stub.replies(answer(ROWS))
    received = portal.search(ID)
    assert received.table.records == ROWS
    assert received.table.columns == tuple(ROWS[0])
    assert (received.received_at, received.simulated) == (fake.utcnow(), False)
    [path] = stub.paths
    assert urlsplit(path).path == "/api/3/action/datastore_search"
    assert query(path) == {"resource_id": ID, "limit": str(PAGE_ROWS)}


ERRORS: list[Any] = [
    (Reply(NOT_FOUND), PortalRefused, "refused datastore_search with HTTP 200: Not found."),
    (Reply(NOT_FOUND, 404), ApiNotFound, "check GRID_NESO_PORTAL_URL"),
    (
        Reply(UNKNOWN_ACTION, 400),
        ApiBadRequest,
        "(HTTP 400): Bad request - Action name not known: nonexistent_action.",
    ),
    (Reply(CONFLICT, 409), ApiUnexpectedStatus, "resource_id: Missing value: check GRID_NESO"),
    (Reply(CONFLICT), PortalRefused, "Missing value"),
    (Reply(UNKNOWN_ACTION), ApiMalformedBody, "is JSON, but not an object"),
    (Reply(b'{"success": true}'), PortalRefused, "with HTTP 200."),
    (Reply(b'{"success": "true", "result": {}}'), PortalRefused, "with HTTP 200."),
    (success([1]), PortalRefused, "with HTTP 200."),
    (success({"total": 3}), ApiMalformedBody, "no list of records"),
    (Reply(b"x", 429), ApiRateLimited, "It asks for few requests"),
    (Reply(b"x", 302, {"Location": "/login"}), ApiUnexpectedStatus, "redirects are not followed"),
    (Reply(b"x" * 70_000), ApiBodyTooLarge, "is larger than 0.05 MB"),
]


@pytest.mark.parametrize(("reply", "kind", "words"), failures.OF_ANY_API)
def test_each_failure_has_its_type_and_names_its_cause(
    stub: Stub, portal: NesoPortal, reply: Reply, kind: type[ApiError], words: str
) -> None:
    stub.replies(reply)
    with pytest.raises(ApiError) as caught:
        portal.search(ID)
    failures.judge(caught.value, reply, kind, words, SERVICE)
    assert "/datastore_search?resource_id=" in str(caught.value)


@pytest.mark.parametrize(("reply", "kind", "message"), ERRORS)
def test_every_refusal_has_its_error_with_the_cause(
    stub: Stub, make_portal: MakePortal, reply: Reply, kind: type[ApiError], message: str
) -> None:
    stub.replies(reply)
    with pytest.raises(ApiError) as caught:
        make_portal(max_body_bytes=50_000).search(ID)
    assert type(caught.value) is kind
    assert message in str(caught.value)
    assert len(stub.paths) == 1


@pytest.mark.parametrize(
    ("headers", "waited_s"), [({}, 1.0), ({"Retry-After": "7"}, 8.0), ({"Retry-After": "x"}, 1.0)]
)
def test_429_and_5xx_are_tried_again_after_the_wait_that_was_asked_for(
    stub: Stub, make_portal: MakePortal, fake: FakeTime, headers: dict[str, str], waited_s: float
) -> None:
    stub.replies(Reply(b"slow down", 429, headers), Reply(b"oops", 503), answer(ROWS))
    assert len(make_portal(retry_budget_s=60).select(ID, ["A"], "true").table.records) == 3
    assert fake.slept == [waited_s, 2.0]


def test_a_search_is_not_tried_again(stub: Stub, make_portal: MakePortal, fake: FakeTime) -> None:
    stub.replies(Reply(b"oops", 503))
    with pytest.raises(ApiServerError):
        make_portal(retry_budget_s=60).search(ID)
    assert (len(stub.paths), fake.slept) == (1, [])


def test_success_false_is_not_tried_again(stub: Stub, make_portal: MakePortal) -> None:
    stub.replies(Reply(NOT_FOUND))
    with pytest.raises(PortalRefused):
        make_portal(retry_budget_s=60).select(ID, ["A"], "true")
    assert len(stub.paths) == 1


def test_a_long_statement_does_not_fill_a_message(stub: Stub, portal: NesoPortal) -> None:
    stub.replies(Reply(b"oops", 500))
    with pytest.raises(ApiServerError) as caught:
        portal.select(ID, ["A"], "'" + "x" * 5000 + "' = ''")
    assert len(str(caught.value)) < 600


def test_recorded_data_is_refused_where_live_is_expected(
    stub: Stub, make_portal: MakePortal
) -> None:
    stub.replies(Reply(headers={"X-Grid-Replay": "shift_weeks=12"}))
    with pytest.raises(ApiWrongKind, match="change GRID_NESO_PORTAL_URL"):
        make_portal(kind="live").search(ID)


# Pages


def pages(stub: Stub, rows: list[Any], total: object, most: int) -> None:
    """A datastore with `rows` that sends at most `most` at a time."""

    def script(path: str) -> Reply:
        asked = query(path)
        offset = int(asked.get("offset", 0))
        return answer(rows[offset : offset + min(most, int(asked["limit"]))], total=total)  # type: ignore[arg-type]

    stub.script = script


@pytest.mark.parametrize(
    ("rows", "most", "total", "offsets"),
    [
        (3, 10, 3, [0]),  # although the link to a next page is there
        (7, 3, 7, [0, 3, 6]),
        (6, 3, 6, [0, 3]),
        (3, 10, "unknown", [0]),
    ],
)
def test_pages_end_at_the_total(
    stub: Stub, portal: NesoPortal, rows: int, most: int, total: object, offsets: list[int]
) -> None:
    pages(stub, [{"A": row} for row in range(rows)], total, most)
    assert [row["A"] for row in portal.search(ID).table.records] == [*range(rows)]
    assert [int(query(path).get("offset", 0)) for path in stub.paths] == offsets


@pytest.mark.parametrize(("rows", "total"), [(0, 0), (0, 602), (5, 602)])
def test_fewer_rows_than_the_total_are_not_taken_for_all(
    stub: Stub, portal: NesoPortal, rows: int, total: int
) -> None:
    pages(stub, [{"A": row} for row in range(rows)], total, 3)
    with pytest.raises(PortalIncomplete, match=f"sent {rows} rows .* says that it has {total}"):
        portal.search(ID)


def test_a_server_that_repeats_its_page_does_not_go_on_for_ever(
    stub: Stub, portal: NesoPortal
) -> None:
    stub.replies(answer(ROWS, total=10**9))
    with pytest.raises(PortalIncomplete):
        portal.search(ID)
    assert len(stub.paths) == 20


# SQL


def test_a_selection_quotes_names_and_reads_on_while_pages_are_full(
    stub: Stub, portal: NesoPortal
) -> None:
    def script(path: str) -> Reply:
        rows = [{"A": 1}] * (SQL_ROWS if "OFFSET 0" in query(path)["sql"] else 2)
        return answer(rows)

    stub.script = script
    received = portal.select(ID, ["A", 'odd"name'], "\"A\" >= '2026-01-01'")
    assert len(received.table.records) == SQL_ROWS + 2
    assert [query(path)["sql"] for path in stub.paths] == [
        f'SELECT "A", "odd""name" FROM "{ID}" WHERE "A" >= \'2026-01-01\' '  # noqa: S608
        f'ORDER BY "_id" LIMIT 32000 OFFSET {offset}'
        for offset in (0, SQL_ROWS)
    ]
    assert urlsplit(stub.paths[0]).path == "/api/3/action/datastore_search_sql"


def test_a_selection_that_ckan_cut_off_is_read_on(stub: Stub, portal: NesoPortal) -> None:
    stub.replies(answer([{"A": 1}], records_truncated=True), answer([{"A": 2}]))
    assert portal.select(ID, ["A"], "true").table.records == [{"A": 1}, {"A": 2}]


def test_columns_are_asked_for_once(stub: Stub, portal: NesoPortal) -> None:
    stub.replies(answer([], fields=[{"id": "_id"}, {"id": "Datetime"}]))
    assert [portal.columns(ID).table.columns for _ in range(2)] == [("_id", "Datetime")] * 2
    assert [query(path) for path in stub.paths] == [{"resource_id": ID, "limit": "0"}]


# Resources

SHOWN = {
    "id": ID,
    "name": "embedded_wind_and_solar_forecast",
    "url": "https://api.neso.energy/x.csv",
    "last_modified": "2026-08-16T18:25:03.877012",
}


def test_a_resource_says_when_it_was_last_published_in_utc(stub: Stub, portal: NesoPortal) -> None:
    stub.replies(success(SHOWN))
    resource = portal.resource(ID)
    assert resource.last_modified == at("2026-08-16T18:25:03.877012")
    assert stub.paths == [f"/api/3/action/resource_show?id={ID}"]


@pytest.mark.parametrize(
    "other", [{"last_modified": None}, {"last_modified": "soon"}, {"url": None}, {"id": 7}]
)
def test_a_resource_without_what_is_needed_is_an_error(
    stub: Stub, portal: NesoPortal, other: dict[str, Any]
) -> None:
    stub.replies(success(SHOWN | other))
    with pytest.raises(ApiMalformedBody, match="cannot be used: "):
        portal.resource(ID)


@pytest.mark.parametrize(("modified", "wrong"), [("18:44:59", False), ("19:25:00", True)])
def test_a_publication_of_the_future_is_refused(
    stub: Stub, portal: NesoPortal, modified: str, wrong: bool
) -> None:
    """Its receipt is at 18:40. Kept, it would hide the publications of the next hour."""
    stub.replies(success(SHOWN | {"last_modified": f"2026-08-16T{modified}"}))
    if wrong:
        with pytest.raises(ApiMalformedBody, match=r"19:25Z, later than its receipt at .* 18:40Z"):
            portal.resource(ID)
    else:
        assert portal.resource(ID).last_modified == at(f"2026-08-16T{modified}")


def test_a_resource_is_found_by_its_exact_name(stub: Stub, portal: NesoPortal) -> None:
    stub.replies(Reply((FIXTURES / "datapackage_show_14_days_ahead_wind.json").read_bytes()))
    package = "14-days-ahead-wind-forecasts"
    found = portal.resource_named(package, "14_days_ahead_wind_forecast")
    assert found.resource_id == "93c3048e-1dab-4057-a2a9-417540583929"
    with pytest.raises(PortalRefused, match="it has 14_days_ahead_wind_forecast, 14_day_ahead_w"):
        portal.resource_named(package, "14_days_ahead_wind")
    stub.replies(success({"resources": None}))
    with pytest.raises(PortalRefused, match="it has none"):
        portal.resource_named(package, "14_days_ahead_wind")


# Limits


def test_each_try_keeps_the_limits(stub: Stub, make_portal: MakePortal, fake: FakeTime) -> None:
    sent: list[tuple[float, str]] = []
    left = [Reply(b"x", 503), answer(ROWS), answer(ROWS), answer(ROWS)]

    def script(path: str) -> Reply:
        sent.append((fake.now - 1000, urlsplit(path).path.rpartition("/")[2]))
        return success(SHOWN) if "resource_show" in path else left.pop(0)

    stub.script = script
    portal = make_portal(limits=Limits(fake.clock), retry_budget_s=600, uniform=lambda low, high: 0)
    portal.resource(ID)
    portal.select(ID, ["A"], "true")  # twice: the first try fails
    portal.search(ID)
    portal.resource(ID)
    assert sent == [
        (0, "resource_show"),
        (1, "datastore_search_sql"),
        (2, "datastore_search_sql"),
        (61, "datastore_search"),
        (62, "resource_show"),
    ]


def test_clients_of_the_public_portal_share_the_limits_of_the_process(
    make_portal: MakePortal, stub: Stub
) -> None:
    assert make_portal("https://api.neso.energy/api/3/action", limits=None)._limits is OF_PROCESS
    assert isinstance(make_portal(limits=None)._limits, Unlimited)


def test_closing_ends_the_wait_for_a_turn(stub: Stub, make_portal: MakePortal) -> None:
    limits = Limits()
    limits.reserve(datastore=True)
    limits.reserve(datastore=True)
    portal = make_portal(limits=limits, sleep=None)
    timer = threading.Timer(0.05, portal.close)
    timer.start()
    with pytest.raises(ApiUnreachable, match="the client is closed"):
        portal.search(ID)
    timer.join()
    assert stub.paths == []


def test_the_settings_choose_the_address_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRID_NESO_PORTAL_URL", "")
    assert NesoPortal.from_settings(Settings.from_environment()) is None
    monkeypatch.delenv("GRID_NESO_PORTAL_URL")
    portal = NesoPortal.from_settings(Settings.from_environment())
    assert portal is not None
    with portal:
        assert portal._http.host == "api.neso.energy"


# Downloads


def resource(url: str) -> Resource:
    return Resource(ID, "embedded", url, at("2026-08-16T18:25"))


CSV = Reply(csv_of(ROWS), headers={"Content-Type": "application/octet-stream"})


def test_a_download_follows_one_redirect_with_nothing_but_the_signed_address(
    stub: Stub, make_portal: MakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as store:
        signed = "/bucket/x.csv?X-Sig=a%2Db%2F~c&X-Host=host"
        stub.replies(Reply(b"", 302, {"Location": store.url + signed, "Set-Cookie": "a=b; Path=/"}))
        store.replies(CSV)
        portal = make_portal(stub.url.replace("http://", "http://me:secret@") + "/api/3/action")
        received = portal.download(resource(f"{stub.url}/dataset/x.csv"))
        assert received.table.records[0]["EMBEDDED_WIND_FORECAST"] == "2000"
        assert store.paths == [signed]
        [headers] = store.headers
        assert set(headers.keys()) <= {"Host", "User-Agent", "Accept-Encoding", "Connection"}


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(b"x", 302, {"Location": "http://example.com/x.csv"}), ApiUnexpectedStatus),
        (Reply(b"x", 302, {"Location": "file:///etc/passwd"}), ApiUnexpectedStatus),
        (Reply(b"x", 302, {"Location": "https://["}), ApiUnexpectedStatus),
        (Reply(b"x", 302, {"Location": "/again"}), ApiUnexpectedStatus),  # redirects once more
        (Reply(b"x", 302), ApiUnexpectedStatus),
        (Reply(b"x", 403), ApiUnexpectedStatus),
        (Reply(b"x", 404), ApiNotFound),
        (Reply(b"x", 429), ApiRateLimited),
        (Reply(b"x", 502), ApiServerError),
        (Reply(b"x" * 70_000), ApiBodyTooLarge),
        (Reply(b"A,B\r\n1,", announced=500), ApiMalformedBody),
        (Reply(b"\xff\xfe"), ApiMalformedBody),
        (Reply(b""), ApiMalformedBody),
        (Reply(b"", reset=True), ApiUnreachable),
    ],
)
def test_every_failed_download_has_its_error_without_the_address(
    stub: Stub, make_portal: MakePortal, reply: Reply, kind: type[ApiError]
) -> None:
    stub.replies(reply)
    with pytest.raises(ApiError) as caught:
        make_portal(max_body_bytes=50_000).download(resource(f"{stub.url}/x.csv?sig=secret"))
    assert type(caught.value) is kind
    assert "secret" not in str(caught.value)
    assert ID in str(caught.value)


def test_a_download_is_tried_again(stub: Stub, make_portal: MakePortal) -> None:
    stub.replies(Reply(b"x", 503), CSV)
    assert make_portal(retry_budget_s=60).download(resource(f"{stub.url}/x.csv")).table.records


@pytest.mark.parametrize("make_url", [lambda stub: f"{stub.url}/x.csv", lambda stub: "ftp://x"])
def test_the_public_portal_cannot_send_us_to_this_machine(
    stub: Stub, make_portal: MakePortal, make_url: Callable[[Stub], str]
) -> None:
    portal = make_portal("https://api.neso.energy/api/3/action")
    with pytest.raises(ApiUnexpectedStatus, match="not https"):
        portal.download(resource(make_url(stub)))
    assert stub.paths == []


def test_a_slow_body_ends_at_the_timeout(stub: Stub, make_portal: MakePortal) -> None:
    stub.replies(Reply(b"A,B\r\n" * 50, drip_s=0.02))
    ticking = iter(range(10**6))
    with pytest.raises(ApiUnreachable, match="no complete answer within 5 s"):
        make_portal(clock=lambda: float(next(ticking))).download(resource(f"{stub.url}/x.csv"))
