"""What every source gets from the HTTP client beyond what the first API's tests cover."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from grid_assets.sources.http.body import json_value
from grid_assets.sources.http.client import HttpClient
from grid_assets.sources.http.errors import (
    MAX_REASON,
    ApiBadRequest,
    ApiError,
    ApiMalformedBody,
    ApiUnexpectedStatus,
    ApiUnreachable,
    ApiWrongKind,
    Service,
)
from grid_assets_tests.http_stub import Reply, Stub, serving

SERVICE = Service("The Test API", "GRID_TEST_URL", "Ask less often.")
PATH = "/records"

MakeClient = Callable[..., HttpClient]


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


@pytest.fixture
def make_client(stub: Stub) -> Iterator[MakeClient]:
    with ExitStack() as clients:

        def make(base_url: str = stub.url, **given: Any) -> HttpClient:
            arguments = {"retry_budget_s": 0, "timeout_s": 5, **given}
            return clients.enter_context(HttpClient(base_url, SERVICE, **arguments))

        yield make


def error_of(client: HttpClient) -> ApiError:
    with pytest.raises(ApiError) as caught:
        client.get(PATH)
    return caught.value


# Messages


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(b"x", status=400), "The Test API rejected /records (HTTP 400)."),
        (
            Reply(b"x", status=404),
            "The Test API has no /records (HTTP 404): check GRID_TEST_URL.",
        ),
        (
            Reply(b"x", status=429),
            "The Test API is rate-limiting this client (HTTP 429 on /records). Ask less often.",
        ),
        (Reply(b"x", status=408), "The Test API asks to repeat /records (HTTP 408)."),
        (Reply(b"x", status=502), "The Test API failed with HTTP 502 on /records."),
        (Reply(b"x", status=403), "Unexpected HTTP 403 on /records: check GRID_TEST_URL."),
        (
            Reply(status=301, headers={"Location": "https://new.example/records"}),
            "If you trust that address, put it in GRID_TEST_URL.",
        ),
    ],
)
def test_a_message_names_the_api_and_its_own_setting(
    stub: Stub, make_client: MakeClient, reply: Reply, message: str
) -> None:
    stub.replies(reply)
    text = str(error_of(make_client()))
    assert message in text
    assert "GRID_API_URL" not in text


def test_an_unreachable_host_and_the_wrong_kind_name_the_setting_too(
    stub: Stub, make_client: MakeClient
) -> None:
    unreachable = error_of(make_client("http://127.0.0.1:1"))
    assert type(unreachable) is ApiUnreachable
    assert "Connection refused. Check GRID_TEST_URL." in str(unreachable)
    stub.replies(Reply(headers={"X-Grid-Replay": "shift_weeks=3"}))
    wrong = error_of(make_client(kind="live"))
    assert type(wrong) is ApiWrongKind
    assert "never mixed: change GRID_TEST_URL or use another database." in str(wrong)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": {"code": "400", "message": "Enter a valid date."}}, ": Enter a valid date"),
        (
            {"title": "Errors occurred.", "errors": {"": ["No more than 1 day"]}},
            ": No more than 1 day",
        ),
        ({"errors": {"from": ["is required", "is no date"]}}, ": from: is required; from: is no"),
        ({"errors": {"from": 7}}, ": from: 7"),
        ({"title": "Not here", "errors": {}}, ": Not here"),
        ({"title": "Bad", "detail": "The date is wrong"}, ": The date is wrong"),
        ("Bad request - Action name not known", ": Bad request - Action name not known"),
        ({"errors": {"": ["x" * 5000]}}, ": " + "x" * MAX_REASON + "."),
        ({"detail": "two\n lines"}, ": two lines"),
        ({"detail": "\x07bell"}, "(HTTP 400)."),
        ({"error": ["?"]}, "(HTTP 400)."),
        ([{"title": "in a list"}], "(HTTP 400)."),
        (None, "(HTTP 400)."),
    ],
)
def test_a_refusal_gives_the_reason_of_the_api_in_any_known_form(
    stub: Stub, make_client: MakeClient, body: Any, reason: str
) -> None:
    stub.replies(Reply(json.dumps(body).encode(), status=400))
    error = error_of(make_client())
    assert type(error) is ApiBadRequest
    assert reason in str(error)


def test_an_unexpected_refusal_gives_its_reason_too(stub: Stub, make_client: MakeClient) -> None:
    stub.replies(Reply(b'{"error": {"message": "limit"}}', status=409))
    error = error_of(make_client())
    assert type(error) is ApiUnexpectedStatus
    assert str(error) == "Unexpected HTTP 409 on /records: limit: check GRID_TEST_URL."


# Requests and bodies


def test_parameters_become_a_query_that_the_error_and_the_response_name(
    stub: Stub, make_client: MakeClient
) -> None:
    asked = {"from": "2026-03-01T00:00Z", "filters": '{"a":"b c"}'}
    query = "/records?from=2026-03-01T00:00Z&filters=%7B%22a%22:%22b+c%22%7D"
    stub.replies(Reply(), Reply(status=400))
    client = make_client()
    assert client.get(PATH, asked).path == query
    with pytest.raises(ApiBadRequest) as refused:
        client.get(PATH, asked)
    assert refused.value.path == query
    assert stub.paths == [query, query]


@pytest.mark.parametrize("body", [b'[{"a": 1.50}]', b'"Bad request"', b"null", b"7"])
def test_a_source_may_read_any_json(stub: Stub, make_client: MakeClient, body: bytes) -> None:
    stub.replies(Reply(body))
    assert make_client(read_json=json_value).get(PATH).document == json.loads(body)
    assert type(error_of(make_client())) is ApiMalformedBody


def test_a_reader_of_json_that_finds_a_fault_causes_another_try(
    stub: Stub, make_client: MakeClient
) -> None:
    stub.replies(Reply(b"<html>"), Reply(b"[]"))
    assert make_client(read_json=json_value, retry_budget_s=60).get(PATH).document == []


# Politeness


def test_requests_and_tries_again_start_a_least_interval_apart(
    stub: Stub, make_client: MakeClient
) -> None:
    now, began = [100.0], []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    def script(path: str) -> Reply:
        began.append(now[0])
        return Reply(status=500 if len(began) == 2 else 200)

    stub.script = script
    client = make_client(
        least_interval_s=2,
        retry_budget_s=60,
        clock=lambda: now[0],
        sleep=sleep,
        uniform=lambda low, high: low,
    )
    for _ in range(3):
        client.get(PATH)
    now[0] += 10
    client.get(PATH)
    assert began == [100, 102, 104, 106, 116]


def test_threads_share_the_interval(stub: Stub, make_client: MakeClient) -> None:
    began: list[float] = []

    def script(path: str) -> Reply:
        began.append(time.monotonic())
        return Reply()

    stub.script = script
    client = make_client(least_interval_s=0.05, concurrency=4)
    first = time.monotonic()
    threads = [threading.Thread(target=client.get, args=(PATH,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A slow machine may deliver a request late, but never early.
    assert all(at >= first + n * 0.05 - 0.001 for n, at in enumerate(sorted(began)))


def test_closing_ends_the_wait_for_a_turn(stub: Stub, make_client: MakeClient) -> None:
    client = make_client(least_interval_s=3600)
    client.get(PATH)
    errors: list[ApiError] = []
    thread = threading.Thread(target=lambda: errors.append(error_of(client)), daemon=True)
    thread.start()
    client.close()
    thread.join(5)
    assert [str(error) for error in errors] == ["/records was not requested: the client is closed."]
    assert stub.paths == [PATH]
