"""The API client against a real HTTP server; clock, sleep and randomness are arguments."""

from __future__ import annotations

import gzip
import io
import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
import urllib3

from grid_assets.halfhours import Window
from grid_assets.settings import Settings
from grid_assets.sources.carbon_intensity.client import (
    LONGEST_REGIONAL_WINDOW,
    SERVICE,
    ApiResponse,
    CarbonIntensityApi,
    ReplayInfo,
    probe_replay,
)
from grid_assets.sources.http.errors import (
    ApiBodyTooLarge,
    ApiError,
    ApiMalformedBody,
    ApiNotFound,
    ApiRateLimited,
    ApiServerError,
    ApiUnexpectedStatus,
    ApiUnreachable,
    ApiWrongKind,
    TransientApiError,
)
from grid_assets.sources.http.session import is_loopback
from grid_assets_tests.http_stub import Reply, Stub, serving
from grid_assets_tests.sources import failures

PATH = "/intensity/2025-01-01T00:00Z/2025-01-15T00:00Z"
NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NO_SERVER = "http://127.0.0.1:1"
ERROR_500 = Reply(b"oops", status=500)
HTML = failures.HTML
RECORDED = Reply(headers={"X-Grid-Replay": "shift_weeks=12"})

MakeApi = Callable[..., CarbonIntensityApi]


@dataclass
class FakeTime:
    """Sleeping takes no time, and random draws give their upper bound, so waits are longest."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)
    drawn: list[tuple[float, float]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.slept.append(seconds)
            self.now += seconds

    def uniform(self, low: float, high: float) -> float:
        self.drawn.append((low, high))
        return high

    def utcnow(self) -> datetime:
        return NOW


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


@pytest.fixture
def fake() -> FakeTime:
    return FakeTime()


@pytest.fixture
def make_api(stub: Stub, fake: FakeTime) -> Iterator[MakeApi]:
    """Clients of the stub on faked time; a test may override any argument."""
    with ExitStack() as clients:

        def make(base_url: str = stub.url, **given: Any) -> CarbonIntensityApi:
            faked = {"sleep": fake.sleep, "uniform": fake.uniform, "utcnow": fake.utcnow}
            arguments = {"retry_budget_s": 0, "timeout_s": 5, "clock": fake.clock, **faked, **given}
            return clients.enter_context(CarbonIntensityApi(base_url, **arguments))

        yield make


def days(count: int) -> Window:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    return Window(start, start + timedelta(days=count))


def error_of(api: CarbonIntensityApi, path: str = PATH) -> ApiError:
    with pytest.raises(ApiError) as caught:
        api.get(path)
    return caught.value


# Answers


def test_an_answer_carries_document_path_and_time(stub: Stub, make_api: MakeApi) -> None:
    stub.replies(Reply(b'{"data": [1]}'))
    answer = make_api().get(PATH)
    assert replace(answer, clock_ahead=None) == ApiResponse(
        PATH, {"data": [1]}, NOW, simulated=False
    )
    assert stub.paths == [PATH]


@pytest.mark.parametrize(
    ("headers", "ahead_s"),
    [
        ({"Date": "Thu, 01 Jan 2026 11:59:50 GMT"}, 10),
        ({"Date": "Fri, 02 Jan 2026 12:00:00 GMT"}, -86_400),
        ({"Date": "Thu, 01 Jan 2026 11:00:00 GMT", "Age": "3590"}, 10),  # an hour in a cache
        ({"Date": "Thu, 01 Jan 2026 11:59:50 GMT", "Age": "old"}, 10),
        ({"Date": "yesterday"}, None),
        ({"Date": "Mon, 20 Nov 9999999999 12:00:00 +0000"}, None),
        ({"Date": "Thu, 01 Jan 2026 11:59:50 GMT", "Age": "9" * 30}, None),
    ],
)
def test_an_answer_says_how_far_this_clock_is_ahead_of_the_apis(
    stub: Stub, make_api: MakeApi, headers: dict[str, str], ahead_s: float | None
) -> None:
    stub.replies(Reply(headers=headers))
    ahead = None if ahead_s is None else timedelta(seconds=ahead_s)
    assert make_api().get(PATH).clock_ahead == ahead


def test_a_byte_order_mark_before_the_json_is_no_fault(stub: Stub, make_api: MakeApi) -> None:
    stub.replies(Reply(b'\xef\xbb\xbf{"data": [1]}'))
    assert make_api().get(PATH).document == {"data": [1]}


@pytest.mark.parametrize("body", [b"{}", b'{"data":[]}'])
def test_an_empty_object_is_an_answer_and_no_error(
    stub: Stub, make_api: MakeApi, body: bytes
) -> None:
    stub.replies(Reply(body))
    assert make_api().get(PATH).document == json.loads(body)


def test_decimals_are_exact(stub: Stub, make_api: MakeApi) -> None:
    stub.replies(Reply(b'{"a": 12.6, "b": 0.1000000000000000055511151231257827, "c": 3}'))
    document = make_api().get(PATH).document
    assert document == {
        "a": Decimal("12.6"),
        "b": Decimal("0.1000000000000000055511151231257827"),
        "c": 3,
    }
    assert isinstance(document["a"], Decimal)


def test_nan_and_infinity_reach_the_caller_as_floats(stub: Stub, make_api: MakeApi) -> None:
    stub.replies(Reply(b'{"a": NaN, "b": -Infinity, "c": 1.5}'))
    document = make_api().get(PATH).document
    assert math.isnan(document["a"])
    assert document["b"] == -math.inf
    assert document["c"] == Decimal("1.5")


def test_a_compressed_body_is_read(stub: Stub, make_api: MakeApi) -> None:
    body = b'{"data": "' + b"x" * 200_000 + b'"}'
    stub.replies(Reply(gzip.compress(body), headers={"Content-Encoding": "gzip"}))
    assert make_api().get(PATH).document == json.loads(body)


def test_a_simulated_answer_is_marked(stub: Stub, make_api: MakeApi) -> None:
    stub.replies(Reply(headers={"X-Grid-Simulated": "fw48h"}), Reply())
    api = make_api()
    assert [api.get(PATH).simulated, api.get(PATH).simulated] == [True, False]


def test_requests_name_the_project_and_use_one_connection_again(
    stub: Stub, make_api: MakeApi
) -> None:
    api = make_api()
    for _ in range(3):
        api.get(PATH)
    assert stub.headers[0]["User-Agent"].startswith("grid-assets/0.")
    assert stub.connections == 1


def test_cookies_are_neither_kept_nor_sent(stub: Stub, make_api: MakeApi) -> None:
    stub.replies(Reply(headers={"Set-Cookie": "a=b; Path=/"}))
    api = make_api()
    api.get(PATH)
    api.get(PATH)
    assert stub.headers[1]["Cookie"] is None


def test_a_forecast_is_requested_by_its_first_half_hour(stub: Stub, make_api: MakeApi) -> None:
    make_api().fetch_forecast(datetime(2026, 7, 1, 12, 30, tzinfo=UTC))
    assert stub.paths == ["/intensity/2026-07-01T12:30Z/fw48h"]


def test_a_base_address_may_have_a_path(stub: Stub, make_api: MakeApi) -> None:
    make_api(stub.url + "/mirror/").get("/intensity")
    assert stub.paths == ["/mirror/intensity"]


def test_the_settings_reach_the_client(stub: Stub) -> None:
    settings = Settings(
        api_url=stub.url, api_timeout_s=0.1, api_retry_budget_s=0, api_max_body_mb=0.001
    )
    stub.replies(Reply(b" " * 1001), Reply(wait_s=0.3))
    with CarbonIntensityApi.from_settings(settings, kind="live") as api:
        assert isinstance(error_of(api), ApiBodyTooLarge)
        assert "within 0.1 s (GRID_API_TIMEOUT_S)" in str(error_of(api))


def test_this_machine_is_reached_without_the_proxy_of_the_environment(
    make_api: MakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", NO_SERVER)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert isinstance(make_api().get(PATH), ApiResponse)


def test_a_session_can_be_given(make_api: MakeApi) -> None:
    class FakeSession(requests.Session):
        def get(self, url: str, **_: Any) -> requests.Response:  # type: ignore[override]
            response = requests.Response()
            response.status_code = 200
            response.raw = urllib3.HTTPResponse(io.BytesIO(b'{"a": 1}'), preload_content=False)
            return response

    assert make_api(NO_SERVER, session=FakeSession()).get(PATH).document == {"a": 1}


# Errors


@pytest.mark.parametrize(("reply", "kind", "words"), failures.OF_ANY_API)
def test_each_failure_has_its_type_and_names_its_cause(
    stub: Stub, make_api: MakeApi, reply: Reply, kind: type[ApiError], words: str
) -> None:
    stub.replies(reply)
    error = error_of(make_api())
    failures.judge(error, reply, kind, words, SERVICE)
    assert PATH in str(error)
    assert error.path == PATH


def test_a_list_is_no_answer(stub: Stub, make_api: MakeApi) -> None:
    stub.replies(Reply(b"[1, 2]"))
    error = error_of(make_api())
    assert type(error) is ApiMalformedBody
    assert "not an object" in str(error)


def test_a_refused_connection_and_an_unknown_host_are_named(make_api: MakeApi) -> None:
    refused = error_of(make_api(NO_SERVER))
    assert type(refused) is ApiUnreachable
    assert "Connection refused" in str(refused)
    assert "GRID_API_URL" in str(refused)
    unknown = error_of(make_api("http://nowhere.invalid"))
    assert type(unknown) is ApiUnreachable
    assert "nowhere.invalid cannot be reached" in str(unknown)


def test_silence_is_a_timeout(stub: Stub, make_api: MakeApi) -> None:
    stub.replies(Reply(wait_s=0.4))
    error = error_of(make_api(timeout_s=0.1))
    assert type(error) is ApiUnreachable
    assert "within 0.1 s (GRID_API_TIMEOUT_S)" in str(error)


def test_a_dripping_body_has_a_total_limit(stub: Stub, make_api: MakeApi) -> None:
    stub.replies(Reply(b" " * 200, drip_s=0.02))
    began = time.monotonic()
    error = error_of(make_api(timeout_s=0.2, clock=time.monotonic))
    assert type(error) is ApiUnreachable
    assert "within 0.2 s (GRID_API_TIMEOUT_S)" in str(error)
    assert time.monotonic() - began < 2


def test_a_body_over_the_cap_is_not_read_to_its_end_nor_requested_again(
    stub: Stub, make_api: MakeApi
) -> None:
    stub.replies(Reply(b"[" * 32_000_000))
    error = error_of(make_api(max_body_bytes=100_000, retry_budget_s=60))
    assert type(error) is ApiBodyTooLarge
    assert "larger than 0.1 MB; GRID_API_MAX_BODY_MB" in str(error)
    assert error.body == "[" * 65536
    assert len(stub.paths) == 1
    assert stub.bytes_sent < 16_000_000


def test_a_body_of_exactly_the_cap_is_read(stub: Stub, make_api: MakeApi) -> None:
    stub.replies(Reply(b'{"a":1}'))
    assert make_api(max_body_bytes=7).get(PATH).document == {"a": 1}


def test_a_malformed_body_is_kept_whole_and_a_refusal_up_to_64_kb(
    stub: Stub, make_api: MakeApi
) -> None:
    long = b"<p>" * 50_000
    stub.replies(Reply(long), Reply(long, status=500))
    api = make_api()
    assert error_of(api).body == long.decode()
    assert error_of(api).body == long.decode()[: 64 * 1024]


def test_a_body_that_cannot_be_decompressed_is_malformed(stub: Stub, make_api: MakeApi) -> None:
    stub.replies(Reply(b"no gzip", headers={"Content-Encoding": "gzip"}))
    error = error_of(make_api())
    assert type(error) is ApiMalformedBody
    assert "cannot be decompressed" in str(error)


def test_a_400_gives_the_reason_of_the_api(stub: Stub, make_api: MakeApi) -> None:
    stub.replies(Reply(b'{"error":{"code":"400","message":"Enter a valid date."}}', status=400))
    assert "(HTTP 400): Enter a valid date." in str(error_of(make_api()))


def test_a_redirect_is_not_followed(stub: Stub, make_api: MakeApi) -> None:
    stub.replies(Reply(b"", status=302, headers={"Location": stub.url + "/elsewhere"}))
    assert type(error_of(make_api())) is ApiUnexpectedStatus
    assert stub.paths == [PATH]


@pytest.mark.parametrize(
    ("location", "target"),
    [
        (
            "https://user:s3cret@new.example/v2/intensity?key=s3cret#s3cret",
            "https://new.example/v2/intensity",
        ),
        ("/s3cret/maintenance", "/maintenance"),  # the base address has that path too
        ("//other.example:8443/x", "http://other.example:8443/x"),
        ("https://new.example/" + "x" * 500, "https://new.example/xxx"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_names_its_target_without_secrets(
    stub: Stub, make_api: MakeApi, status: int, location: str, target: str
) -> None:
    stub.replies(Reply(b"", status=status, headers={"Location": location}))
    error = error_of(make_api(stub.url + "/s3cret"))
    assert type(error) is ApiUnexpectedStatus
    assert target in str(error)
    assert f"HTTP {status}" in str(error)
    assert "s3cret" not in str(error)
    assert len(str(error)) < 450


@pytest.mark.parametrize("location", [None, "http://[", "/\x07bell"])
def test_a_redirect_to_nowhere_is_an_unexpected_status(
    stub: Stub, make_api: MakeApi, location: str | None
) -> None:
    stub.replies(Reply(b"", status=302, headers={"Location": location} if location else {}))
    assert "Unexpected HTTP 302" in str(error_of(make_api()))


@pytest.mark.parametrize("reply", [Reply(status=400), Reply(status=404), Reply(status=302)])
def test_a_permanent_failure_is_not_retried(
    stub: Stub, make_api: MakeApi, fake: FakeTime, reply: Reply
) -> None:
    stub.replies(reply)
    error = error_of(make_api(retry_budget_s=60))
    assert not isinstance(error, TransientApiError)
    assert len(stub.paths) == 1
    assert fake.slept == []


def test_a_password_in_the_address_is_sent_but_never_shown(stub: Stub, make_api: MakeApi) -> None:
    secret = "s3cr%40t"
    stub.replies(
        Reply(), ERROR_500, Reply(status=404), HTML, Reply(wait_s=0.3), Reply(reset=True, body=b"")
    )
    api = make_api(stub.url.replace("//", f"//user:{secret}@"), timeout_s=0.15)
    api.get(PATH)
    assert stub.headers[0]["Authorization"] == "Basic dXNlcjpzM2NyQHQ="
    dead = make_api(f"http://user:{secret}@127.0.0.1:1")
    odd = make_api(f"http://user:{secret}@" + "a" * 70 + ".invalid")
    for error in [*(error_of(api) for _ in range(5)), error_of(dead), error_of(odd)]:
        cause: BaseException | None = error
        while cause:
            assert "s3cr" not in f"{cause} {cause!r}"
            cause = cause.__cause__ or cause.__context__


# Retries


@pytest.mark.parametrize(
    "reply",
    [
        ERROR_500,
        Reply(status=408),
        Reply(status=425),
        Reply(status=429),
        HTML,
        Reply(b"{", announced=9),
        Reply(b"", reset=True),
    ],
)
def test_a_transient_failure_is_retried(stub: Stub, make_api: MakeApi, reply: Reply) -> None:
    stub.replies(reply, reply, Reply())
    assert make_api(retry_budget_s=60).get(PATH).document == {"data": []}
    assert len(stub.paths) == 3


def test_waits_are_drawn_from_zero_to_a_doubling_cap(
    stub: Stub, make_api: MakeApi, fake: FakeTime
) -> None:
    stub.replies(*[ERROR_500] * 7, Reply())
    make_api(retry_budget_s=3600).get(PATH)
    assert fake.drawn == [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (0, 30), (0, 30)]
    assert fake.slept == [1, 2, 4, 8, 16, 30, 30]


def ten_minutes_of_500(stub: Stub, fake: FakeTime) -> None:
    ends = fake.now + 600
    stub.script = lambda path: ERROR_500 if fake.now < ends else Reply()


def test_ten_minutes_of_500_pass_within_a_larger_budget(
    stub: Stub, make_api: MakeApi, fake: FakeTime
) -> None:
    ten_minutes_of_500(stub, fake)
    assert make_api(retry_budget_s=700).get(PATH).document == {"data": []}
    assert 1600 <= fake.now <= 1630


def test_ten_minutes_of_500_fail_after_a_smaller_budget(
    stub: Stub, make_api: MakeApi, fake: FakeTime
) -> None:
    ten_minutes_of_500(stub, fake)
    error = error_of(make_api(retry_budget_s=300))
    assert type(error) is ApiServerError
    assert fake.now == pytest.approx(1300)
    assert f"Gave up after {len(stub.paths)} tries and 300 s" in str(error)
    assert "GRID_API_RETRY_BUDGET_S=300" in str(error)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    "asked", ["7", "Thu, 01 Jan 2026 12:00:07 GMT", "Thu, 01 Jan 2026 12:00:07 -0000"]
)
def test_retry_after_is_kept_in_seconds_and_as_a_date(
    stub: Stub, make_api: MakeApi, fake: FakeTime, asked: str, status: int
) -> None:
    stub.replies(Reply(status=status, headers={"Retry-After": asked}), Reply())
    make_api(retry_budget_s=60).get(PATH)
    assert fake.slept == [8]  # 7 s and the longest jitter


@pytest.mark.parametrize(
    "asked",
    [
        "soon",
        "-5",
        "0",
        "Thu, 01 Jan 2026 11:00:00 GMT",
        "Mon, 20 Nov 9999999999 12:00:00 +0000",
        "Thu, 01 Jan 2026 12:00:00 +999999999999",
    ],
)
def test_an_unusable_or_past_retry_after_leaves_the_usual_wait(
    stub: Stub, make_api: MakeApi, fake: FakeTime, asked: str
) -> None:
    limited = Reply(status=429, headers={"Retry-After": asked})
    stub.replies(limited, limited, limited, Reply())
    make_api(retry_budget_s=60).get(PATH)
    assert fake.slept == [1, 2, 4]


@pytest.mark.parametrize("asked", ["61", "9" * 400])
def test_a_retry_after_beyond_the_budget_gives_up_at_once(
    stub: Stub, make_api: MakeApi, fake: FakeTime, asked: str
) -> None:
    stub.replies(Reply(status=429, headers={"Retry-After": asked}))
    error = error_of(make_api(retry_budget_s=60))
    assert isinstance(error, ApiRateLimited)
    assert error.retry_after_s == float(asked)
    assert "the API asks to wait" in str(error)
    assert "GRID_API_RETRY_BUDGET_S=60" in str(error)
    assert fake.slept == []


def test_one_outage_has_one_budget_and_a_success_renews_it(
    stub: Stub, make_api: MakeApi, fake: FakeTime
) -> None:
    api = make_api(retry_budget_s=60)
    stub.replies(ERROR_500)
    error_of(api)
    assert fake.now == pytest.approx(1060)
    first_tries = len(stub.paths)
    for _ in range(2):
        assert "Gave up after 1 try and 60 s" in str(error_of(api))
    assert fake.now == pytest.approx(1060)
    assert len(stub.paths) == first_tries + 2
    stub.replies(Reply(), ERROR_500)
    api.get(PATH)
    error_of(api)
    assert fake.now == pytest.approx(1120)


def test_a_404_proves_the_api_alive_and_renews_the_budget(
    stub: Stub, make_api: MakeApi, fake: FakeTime
) -> None:
    api = make_api(retry_budget_s=60)
    stub.replies(ERROR_500)
    error_of(api)
    stub.replies(Reply(status=404), ERROR_500, Reply())
    assert type(error_of(api)) is ApiNotFound
    assert isinstance(api.get(PATH), ApiResponse)


def test_requests_in_several_threads_wait_out_the_budget_together(
    stub: Stub, make_api: MakeApi
) -> None:
    stub.replies(ERROR_500)
    api = make_api(retry_budget_s=0.4, clock=time.monotonic, sleep=None)
    began = time.monotonic()
    threads = [threading.Thread(target=error_of, args=(api,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0.3 < time.monotonic() - began < 2.5  # one after the other they would need 3.2 s


def test_a_request_that_fails_alone_gives_up_though_others_succeed(
    stub: Stub, make_api: MakeApi, fake: FakeTime
) -> None:
    stub.script = lambda path: ERROR_500 if path == "/bad" else Reply()

    def sleep(seconds: float) -> None:
        fake.sleep(seconds)
        api.get("/good")

    api = make_api(retry_budget_s=60, sleep=sleep)
    error_of(api, "/bad")
    assert fake.now == pytest.approx(1060)


def test_closing_the_client_ends_its_waits(stub: Stub, make_api: MakeApi) -> None:
    stub.replies(ERROR_500)
    api = make_api(retry_budget_s=600, clock=time.monotonic, sleep=None, uniform=lambda a, b: 30)
    errors: list[ApiError] = []
    thread = threading.Thread(target=lambda: errors.append(error_of(api)), daemon=True)
    thread.start()
    while not stub.paths:
        time.sleep(0.01)
    api.close()
    thread.join(5)
    assert [str(error) for error in errors] in (
        [f"{PATH} was not requested: the client is closed."],
        [f"The API failed with HTTP 500 on {PATH}."],
    )
    assert len(stub.paths) == 1


# Windows


def test_windows_come_in_time_order_and_cover_everything(stub: Stub, make_api: MakeApi) -> None:
    first = "/generation/2025-01-01T00:00Z/2025-01-15T00:00Z"
    stub.script = lambda path: Reply(wait_s=0.1 if path == first else 0)
    got = list(make_api(concurrency=3).fetch_windows("generation", days(100)))
    assert [window for window, _ in got] == list(days(100).split(timedelta(days=14)))
    assert [answer.path for _, answer in got][:2] == [
        first,
        "/generation/2025-01-15T00:00Z/2025-01-29T00:00Z",
    ]
    assert all(isinstance(answer, ApiResponse) for _, answer in got)
    assert sorted(stub.paths) == [answer.path for _, answer in got]


def test_requests_in_flight_reach_the_limit_and_never_pass_it(
    stub: Stub, make_api: MakeApi
) -> None:
    stub.replies(Reply(wait_s=0.03))
    api = make_api(concurrency=3)
    calls = [
        threading.Thread(target=list, args=(api.fetch_windows(endpoint, days(12), DAY),))
        for endpoint in ("intensity", "generation")
    ]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert len(stub.paths) == 24
    assert stub.most_in_flight == 3
    assert stub.connections <= 3


@pytest.mark.parametrize("reply", [ERROR_500, HTML, Reply(status=400), Reply(b"", reset=True)])
def test_one_failing_window_does_not_stop_the_others(
    stub: Stub, make_api: MakeApi, reply: Reply
) -> None:
    bad = "/intensity/2025-01-03T00:00Z/2025-01-04T00:00Z"
    stub.script = lambda path: reply if path == bad else Reply()
    got = [outcome for _, outcome in make_api().fetch_windows("intensity", days(6), DAY)]
    assert [isinstance(outcome, ApiResponse) for outcome in got] == [
        True,
        True,
        False,
        True,
        True,
        True,
    ]
    assert isinstance(got[2], ApiError)
    assert got[2].path == bad


def test_a_fault_of_ours_in_one_window_does_not_lose_the_others(make_api: MakeApi) -> None:
    bad = "/intensity/2025-01-03T00:00Z/2025-01-04T00:00Z"

    class FaultySession(requests.Session):
        def get(self, url: str, **_: Any) -> requests.Response:  # type: ignore[override]
            if url.endswith(bad):
                raise KeyError("nobody expects this")
            response = requests.Response()
            response.status_code = 200
            response.raw = urllib3.HTTPResponse(io.BytesIO(b"{}"), preload_content=False)
            return response

    api = make_api(NO_SERVER, session=FaultySession())
    got = [outcome for _, outcome in api.fetch_windows("intensity", days(4), DAY)]
    assert [type(outcome) for outcome in got] == [ApiResponse, ApiResponse, ApiError, ApiResponse]
    assert "KeyError: 'nobody expects this'" in str(got[2])


def test_a_dead_api_costs_one_budget_and_few_requests(
    stub: Stub, make_api: MakeApi, fake: FakeTime
) -> None:
    stub.replies(Reply(b"", reset=True))
    api = make_api(retry_budget_s=60, concurrency=1)
    got = [outcome for _, outcome in api.fetch_windows("intensity", days(40), DAY)]
    assert len(got) == 40
    assert all(isinstance(outcome, ApiUnreachable) for outcome in got)
    assert fake.now == pytest.approx(1060)
    assert len(set(stub.paths)) <= 4  # three in a row, and the one that was then on its way
    assert "was not requested: the 3 requests before it got no answer" in str(got[-1])
    assert "tries and 60 s of failures" in str(got[0])
    stub.replies(Reply())
    assert isinstance(api.get(PATH), ApiResponse)


def test_after_the_budget_each_window_that_fails_with_500_is_requested_once(
    stub: Stub, make_api: MakeApi, fake: FakeTime
) -> None:
    stub.replies(ERROR_500)
    api = make_api(retry_budget_s=60, concurrency=1)
    got = [outcome for _, outcome in api.fetch_windows("intensity", days(10), DAY)]
    assert [type(outcome) for outcome in got] == [ApiServerError] * 10
    assert len(set(stub.paths)) == 10
    assert fake.now == pytest.approx(1060)


@pytest.mark.parametrize("silence", [Reply(b"", reset=True), Reply(status=429)])
def test_three_silent_windows_do_not_stop_the_rest_while_others_are_answered(
    stub: Stub, make_api: MakeApi, silence: Reply
) -> None:
    silence = replace(silence, wait_s=0.02)

    def script(path: str) -> Reply:
        day = path.removeprefix("/intensity/2025-01-")[:2]
        if day <= "03":
            return silence
        return Reply(wait_s=0.1 if day > "08" else 0)

    stub.script = script
    api = make_api(retry_budget_s=60, concurrency=4)
    got = [outcome for _, outcome in api.fetch_windows("intensity", days(13), DAY)]
    assert [isinstance(outcome, ApiResponse) for outcome in got] == [False] * 3 + [True] * 10


def test_a_long_retry_after_stops_the_rest_after_three_windows(
    stub: Stub, make_api: MakeApi, fake: FakeTime
) -> None:
    stub.replies(Reply(status=429, headers={"Retry-After": "3600"}))
    api = make_api(retry_budget_s=60, concurrency=1)
    got = [outcome for _, outcome in api.fetch_windows("intensity", days(20), DAY)]
    assert [type(outcome) for outcome in got[:3]] == [ApiRateLimited] * 3
    assert [type(outcome) for outcome in got[-10:]] == [ApiUnreachable] * 10
    assert len(stub.paths) <= 4
    assert fake.slept == []


def test_a_slow_caller_bounds_what_is_fetched_ahead(stub: Stub, make_api: MakeApi) -> None:
    windows = make_api(concurrency=2).fetch_windows("intensity", days(50), DAY)
    assert stub.paths == []
    next(windows)
    time.sleep(0.15)
    assert len(stub.paths) <= 4
    assert len(list(windows)) == 49


def test_closing_early_drops_the_pieces_that_have_not_started(
    stub: Stub, make_api: MakeApi
) -> None:
    gate = threading.Event()

    def script(path: str) -> Reply:
        if "/2025-01-01T" not in path:
            gate.wait(5)
        return Reply()

    stub.script = script
    api = make_api(concurrency=2)
    windows = api.fetch_windows("intensity", days(50), DAY)
    next(windows)
    while len(stub.paths) < 3:  # the first, and the two that now wait at the gate
        time.sleep(0.01)
    windows.close()  # type: ignore[attr-defined]
    gate.set()
    assert isinstance(api.get(PATH), ApiResponse)
    time.sleep(0.05)
    assert len(stub.paths) == 4


def test_an_empty_window_makes_no_request(stub: Stub, make_api: MakeApi) -> None:
    assert list(make_api().fetch_windows("intensity", days(0))) == []
    assert stub.paths == []


# Recorded and live


@pytest.mark.parametrize(
    ("expected", "reply", "words"),
    [
        ({"kind": "live"}, RECORDED, "is recorded, but live data is expected"),
        ({"kind": "replay"}, Reply(), "is not recorded"),
        ({"kind": "replay", "shift_weeks": 13}, RECORDED, "shift_weeks=13 is expected"),
        ({"kind": "replay", "shift_weeks": 1}, RECORDED, "shift_weeks=1 is expected"),
    ],
)
def test_the_wrong_kind_is_refused_at_once(
    stub: Stub, make_api: MakeApi, expected: dict[str, Any], reply: Reply, words: str
) -> None:
    stub.replies(reply)
    api = make_api(retry_budget_s=60, **expected)
    error = error_of(api)
    assert type(error) is ApiWrongKind
    assert words in str(error)
    assert "Recorded and live data are never mixed" in str(error)
    assert len(stub.paths) == 1
    with pytest.raises(ApiWrongKind):
        list(api.fetch_windows("intensity", days(3), DAY))


@pytest.mark.parametrize(
    ("expected", "reply"),
    [
        ({"kind": "live"}, Reply()),
        ({"kind": "replay"}, RECORDED),
        ({"kind": "replay", "shift_weeks": 12}, RECORDED),
        ({}, RECORDED),
        ({}, Reply()),
    ],
)
def test_the_right_kind_is_an_answer(
    stub: Stub, make_api: MakeApi, expected: dict[str, Any], reply: Reply
) -> None:
    stub.replies(reply)
    assert make_api(**expected).get(PATH).document == {"data": []}


# The probe


def test_the_probe_finds_a_replay_and_its_shift(stub: Stub) -> None:
    stub.replies(Reply(b'{"kind":"replay","shift_weeks":12,"other":1}'))
    assert probe_replay(stub.url) == ReplayInfo(12)
    assert stub.paths == ["/replay/status"]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b'{"kind":"live","shift_weeks":12}'),
        Reply(b'{"kind":"replay","shift_weeks":"12"}'),
        Reply(b'{"kind":"replay","shift_weeks":true}'),
        Reply(b"{}"),
        Reply(b"[]"),
        HTML,
        ERROR_500,
        Reply(status=404),
        Reply(b"x" * 200_000),
        Reply(b"", reset=True),
        Reply(wait_s=0.2),
        Reply(b'{"kind":"replay","shift_weeks":12}', drip_s=0.02),
    ],
)
def test_the_probe_takes_any_other_server_for_no_replay(stub: Stub, reply: Reply) -> None:
    stub.replies(reply)
    assert probe_replay(stub.url, timeout_s=0.1) is None
    assert len(stub.paths) == 1


def test_the_probe_contacts_no_other_machine_and_survives_a_dead_one(stub: Stub) -> None:
    stub.replies(Reply(b'{"kind":"replay","shift_weeks":12}'))
    # The stub answers here as well, but the address may belong to any machine.
    assert probe_replay(stub.url.replace("127.0.0.1", "0.0.0.0")) is None
    assert stub.paths == []
    assert probe_replay(NO_SERVER) is None
    loopback = ["http://localhost:1", "http://127.0.0.1", "http://127.9.9.9", "http://u:p@[::1]:80"]
    other = ["https://api.carbonintensity.org.uk", "http://10.0.0.1", "http://localhost.evil.org"]
    assert [is_loopback(url) for url in loopback + other] == [True] * 4 + [False] * 3


def test_windows_of_regions_are_requested_one_after_the_other_and_never_as_long_as_14_days(
    stub: Stub, make_api: MakeApi
) -> None:
    stub.script = lambda path: Reply(wait_s=0.02)
    longest = LONGEST_REGIONAL_WINDOW
    fetched = make_api(concurrency=4).fetch_windows(
        "regional/intensity", days(15), longest, at_once=1
    )
    found = [piece for piece, _ in fetched]
    assert stub.most_in_flight == 1
    assert found == list(days(15).split(longest))
    assert max(piece.end - piece.start for piece in found) < timedelta(days=14)
    assert stub.paths[0] == "/regional/intensity/2025-01-01T00:00Z/2025-01-03T00:00Z"


def test_a_regional_forecast_is_requested_by_its_first_half_hour(
    stub: Stub, make_api: MakeApi
) -> None:
    make_api().fetch_regional_forecast(NOW)
    assert stub.paths == ["/regional/intensity/2026-01-01T12:00Z/fw48h"]
