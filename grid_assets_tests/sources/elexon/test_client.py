"""The client against a real HTTP server; clock, sleep and randomness are arguments.

What every source gets from `HttpClient` is tested in `sources/http` and `carbon_intensity`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import urllib3

from grid_assets.halfhours import DAY, Window, days_window
from grid_assets.settings import PUBLIC_ELEXON_URL, Settings
from grid_assets.sources.elexon.client import (
    LEAST_INTERVAL_S,
    SERVICE,
    SILENT_REQUESTS,
    Captured,
    ElexonApi,
)
from grid_assets.sources.http.errors import (
    ApiBadRequest,
    ApiBodyTooLarge,
    ApiError,
    ApiRateLimited,
    ApiServerError,
    ApiUnreachable,
    ApiWrongKind,
)
from grid_assets_tests.http_stub import Reply, Stub, serving
from grid_assets_tests.sources import failures
from grid_assets_tests.sources.elexon.records import (
    at,
    body,
    demand,
    fuel,
    outturn,
    wind,
)

FIXTURES = Path(__file__).parents[2] / "fixtures" / "elexon"
NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
MAY = days_window(date(2026, 5, 5), date(2026, 5, 5))
ISSUE = "2026-05-05T05:30:00Z"
NO_SERVER = "http://127.0.0.1:1"
EMPTY = Reply(b'{"data":[]}')
TODAY = {"Date": "Wed, 20 May 2026 12:00:00 GMT"}


class FakeTime:
    """Sleeping takes no time, and random draws give their upper bound."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


MakeApi = Callable[..., ElexonApi]
Asked = Callable[[ElexonApi], Iterator[tuple[Window, Any]]]


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


@pytest.fixture
def fake() -> FakeTime:
    return FakeTime()


@pytest.fixture
def make_api(stub: Stub, fake: FakeTime) -> Iterator[MakeApi]:
    """Clients of the stub on faked time, without retries; a test may override any argument."""
    with ExitStack() as clients:

        def make(url: str = stub.url, budget_s: float = 0, **given: Any) -> ElexonApi:
            settings = Settings(elexon_url=url, api_timeout_s=5, api_retry_budget_s=budget_s)
            faked = {
                "clock": fake.clock,
                "sleep": fake.sleep,
                "uniform": lambda low, high: high,
                "utcnow": lambda: NOW,
            }
            api = ElexonApi.from_settings(settings, **{**faked, **given})
            assert api is not None
            return clients.enter_context(api)

        yield make


def only(pieces: Iterator[tuple[Window, Any]]) -> Any:
    [(_, outcome)] = pieces
    return outcome


def error_of(api: ElexonApi) -> ApiError:
    outcome = only(api.wind_forecast(MAY))
    assert isinstance(outcome, ApiError)
    return outcome


def days(count: int) -> Window:
    return Window(MAY.start, MAY.start + timedelta(days=count))


# Requests and what they bring


@pytest.mark.parametrize(
    ("ask", "record", "path"),
    [
        (
            lambda api: api.wind_forecast(MAY),
            wind(ISSUE, "2026-05-05T06:00:00Z"),
            "/datasets/WINDFOR?publishDateTimeFrom=2026-05-05T00:00Z"
            "&publishDateTimeTo=2026-05-06T00:00Z",
        ),
        (
            lambda api: api.demand_forecast(MAY),
            demand(ISSUE, "2026-05-05T06:00:00Z"),
            "/datasets/NDF?publishDateTimeFrom=2026-05-05T00:00Z"
            "&publishDateTimeTo=2026-05-06T00:00Z",
        ),
        (
            lambda api: api.generation(MAY),
            fuel("2026-05-05T06:00:00Z"),
            "/datasets/FUELHH?settlementDateFrom=2026-05-05&settlementDateTo=2026-05-06",
        ),
        (
            lambda api: api.demand_outturn(MAY),
            outturn("2026-05-05T06:00:00Z"),
            "/datasets/INDO?publishDateTimeFrom=2026-05-05T00:30Z"
            "&publishDateTimeTo=2026-05-06T12:00Z",
        ),
    ],
)
def test_a_day_of_each_dataset_is_one_request(
    stub: Stub, make_api: MakeApi, ask: Asked, record: dict[str, Any], path: str
) -> None:
    stub.replies(Reply(body(record, 7), headers=TODAY))
    captured = only(ask(make_api(stub.url + "/bmrs/api/v1/")))
    assert stub.paths == ["/bmrs/api/v1" + path]
    assert stub.headers[0]["User-Agent"].startswith("grid-assets/0.")
    assert isinstance(captured, Captured)
    assert (captured.path, captured.received_at, captured.simulated) == (path, NOW, False)
    assert captured.clock_ahead == timedelta(0)
    assert len(captured.parsed.rows) == 1
    assert [reject.reason for reject in captured.parsed.rejected] == [
        "record: it is not a JSON object"
    ]


def test_a_bare_list_is_an_answer_too(stub: Stub, make_api: MakeApi) -> None:
    record = wind(ISSUE, "2026-05-05T06:00:00Z")
    stub.replies(Reply(body(record)[len(b'{"data": ') : -1]))
    assert len(only(make_api().wind_forecast(MAY)).parsed.rows) == 1


def test_a_window_without_a_publication_brings_nothing(stub: Stub, make_api: MakeApi) -> None:
    stub.replies(Reply((FIXTURES / "windfor_empty.json").read_bytes()))
    captured = only(make_api().wind_forecast(MAY))
    assert (captured.parsed.rows, captured.parsed.rejected) == ([], [])


def test_a_simulated_answer_is_marked(stub: Stub, make_api: MakeApi) -> None:
    stub.replies(Reply(headers={"X-Grid-Simulated": "NDF"}))
    assert only(make_api().demand_forecast(MAY)).simulated


def test_an_empty_window_makes_no_request(stub: Stub, make_api: MakeApi) -> None:
    api, empty = make_api(), days(0)
    for ask in (api.wind_forecast, api.demand_forecast, api.generation, api.demand_outturn):
        assert list(ask(empty)) == []
    assert stub.paths == []


def test_neighbouring_requests_give_each_publication_once(stub: Stub, make_api: MakeApi) -> None:
    """Both ends of a range are included, as with the API."""
    records = [
        demand(f"2026-05-{day:02}T{hour:02}:00:00Z", f"2026-05-{day:02}T23:00:00Z")
        for day in range(5, 9)
        for hour in (0, 12)
    ]

    def script(path: str) -> Reply:
        query = parse_qs(urlsplit(path).query)
        first, last = (at(query[f"publishDateTime{end}"][0]) for end in ("From", "To"))
        assert last - first <= DAY
        return Reply(body(*(row for row in records if first <= at(row["publishTime"]) <= last)))

    stub.script = script
    found = [
        row.published_at
        for _, captured in make_api().demand_forecast(days(3))
        if isinstance(captured, Captured)
        for row in captured.parsed.rows
    ]
    assert found == [at(row["publishTime"]) for row in records[:6]]
    assert len(stub.paths) == 3


def test_requests_start_half_a_second_apart(stub: Stub, make_api: MakeApi, fake: FakeTime) -> None:
    api = make_api(least_interval_s=LEAST_INTERVAL_S)
    assert len(list(api.demand_forecast(days(4)))) == 4
    assert fake.slept == [LEAST_INTERVAL_S] * 3
    assert LEAST_INTERVAL_S == 0.5


def test_only_requests_to_this_machine_are_not_kept_apart(
    stub: Stub, make_api: MakeApi, fake: FakeTime
) -> None:
    assert len(list(make_api().demand_forecast(days(4)))) == 4
    assert fake.slept == []
    elsewhere = ElexonApi.from_settings(
        Settings(elexon_url="https://data.elexon.co.uk/bmrs/api/v1")
    )
    assert elsewhere is not None
    assert elsewhere._http._pace.interval_s == LEAST_INTERVAL_S


@pytest.mark.parametrize(
    ("date_header", "usable"),
    [
        ("Tue, 05 May 2026 05:31:00 GMT", True),  # the clock of this machine is an hour behind
        ("Tue, 05 May 2026 04:31:00 GMT", False),
        ("Tue, 05 May 2026 03:31:00 GMT", False),
        ("no date", False),
    ],
)
def test_a_publication_of_the_future_is_rejected_unless_this_clock_is_behind(
    stub: Stub, make_api: MakeApi, date_header: str, usable: bool
) -> None:
    record = wind(ISSUE, "2026-05-05T06:00:00Z")
    stub.replies(Reply(body(record), headers={"Date": date_header}))
    api = make_api(utcnow=lambda: at("2026-05-05T04:31Z"))
    parsed = only(api.wind_forecast(MAY)).parsed
    assert (len(parsed.rows), len(parsed.rejected)) == ((1, 0) if usable else (0, 1))


# Settings


def test_an_empty_address_means_no_client() -> None:
    assert ElexonApi.from_settings(Settings(elexon_url=None)) is None


def test_the_public_api_is_the_default() -> None:
    assert Settings().elexon_url == PUBLIC_ELEXON_URL == "https://data.elexon.co.uk/bmrs/api/v1"


def test_the_limits_of_the_settings_apply(stub: Stub) -> None:
    settings = Settings(
        elexon_url=stub.url, api_timeout_s=0.1, api_retry_budget_s=0, api_max_body_mb=0.001
    )
    stub.replies(Reply(b" " * 1001), Reply(wait_s=0.3))
    api = ElexonApi.from_settings(settings)
    assert api is not None
    with api:
        assert isinstance(error_of(api), ApiBodyTooLarge)
        assert "within 0.1 s (GRID_API_TIMEOUT_S)" in str(error_of(api))


# Failures


@pytest.mark.parametrize(("reply", "kind", "words"), failures.OF_ANY_API)
def test_each_failure_has_its_type_and_names_api_and_setting(
    stub: Stub, make_api: MakeApi, reply: Reply, kind: type[ApiError], words: str
) -> None:
    stub.replies(reply)
    error = error_of(make_api())
    failures.judge(error, reply, kind, words, SERVICE)
    assert "/datasets/WINDFOR?publishDateTimeFrom=2026-05-05T00:00Z" in str(error)


def test_a_window_that_the_api_refuses_gives_its_reason(stub: Stub, make_api: MakeApi) -> None:
    stub.replies(Reply((FIXTURES / "error_400_range_1_day.json").read_bytes(), status=400))
    error = error_of(make_api(budget_s=60))
    assert type(error) is ApiBadRequest
    assert (
        "(HTTP 400): The date range between PublishDateTimeFrom and PublishDateTimeTo inclusive "
        "must not exceed 1 day." in str(error)
    )
    assert len(stub.paths) == 1


@pytest.mark.parametrize(
    ("headers", "slept"),
    # The longest random wait for HTTP 429 without a hint; else what was asked and the jitter.
    [({}, [1, 2]), ({"Retry-After": "7"}, [8, 8])],
)
def test_a_limit_on_the_rate_is_waited_out(
    stub: Stub, make_api: MakeApi, fake: FakeTime, headers: dict[str, str], slept: list[float]
) -> None:
    limited = Reply(status=429, headers=headers)
    stub.replies(limited, limited, EMPTY)
    assert isinstance(only(make_api(budget_s=60).wind_forecast(MAY)), Captured)
    assert fake.slept == slept


def test_one_failing_request_does_not_stop_the_others(stub: Stub, make_api: MakeApi) -> None:
    stub.script = lambda path: (
        Reply(status=500) if "From=2026-05-06" in path else Reply(b"[]", headers=TODAY)
    )
    pieces = list(make_api().demand_forecast(days(4)))
    assert [window for window, _ in pieces] == list(days(4).split(DAY))
    assert [type(outcome) for _, outcome in pieces] == [
        Captured,
        ApiServerError,
        Captured,
        Captured,
    ]


def test_a_fault_of_ours_in_one_request_does_not_lose_the_others(make_api: MakeApi) -> None:
    class FaultySession(requests.Session):
        def get(self, url: str, **_: Any) -> requests.Response:  # type: ignore[override]
            if "From=2026-05-06" in url:
                raise KeyError("nobody expects this")
            response = requests.Response()
            response.status_code = 200
            response.raw = urllib3.HTTPResponse(io.BytesIO(b"[]"), preload_content=False)
            return response

    api = make_api(NO_SERVER, session=FaultySession())
    got = [outcome for _, outcome in api.demand_forecast(days(3))]
    assert [type(outcome) for outcome in got] == [Captured, ApiError, Captured]
    assert "KeyError: 'nobody expects this'" in str(got[1])


@pytest.mark.parametrize(
    "silence", [Reply(b"", reset=True), Reply(status=429, headers={"Retry-After": "3600"})]
)
def test_a_dead_api_costs_one_budget_and_few_requests(
    stub: Stub, make_api: MakeApi, fake: FakeTime, silence: Reply
) -> None:
    stub.replies(silence)
    got = [outcome for _, outcome in make_api(budget_s=60).demand_forecast(days(40))]
    assert len(got) == 40
    assert all(isinstance(outcome, ApiUnreachable | ApiRateLimited) for outcome in got)
    assert len(set(stub.paths)) == SILENT_REQUESTS
    assert fake.now <= 1000 + 60 + SILENT_REQUESTS * LEAST_INTERVAL_S
    assert "was not requested for 2026-06-13T00:00Z to 2026-06-14T00:00Z" in str(got[-1])


def test_errors_that_concern_one_request_do_not_stop_the_rest(
    stub: Stub, make_api: MakeApi
) -> None:
    stub.replies(Reply(status=500))
    assert len(list(make_api().demand_forecast(days(10)))) == 10
    assert len(set(stub.paths)) == 10


@pytest.mark.parametrize(
    ("kind", "headers", "words"),
    [
        ("live", {"X-Grid-Replay": "shift_weeks=12"}, "is recorded, but live data is expected"),
        ("replay", {}, "is not recorded"),
    ],
)
def test_the_wrong_kind_is_raised_at_once(
    stub: Stub, make_api: MakeApi, kind: str, headers: dict[str, str], words: str
) -> None:
    stub.replies(Reply(headers=headers))
    with pytest.raises(ApiWrongKind) as wrong:
        list(make_api(budget_s=60, kind=kind).demand_forecast(days(3)))
    assert words in str(wrong.value)
    assert f"change {SERVICE.url_setting}" in str(wrong.value)
    assert len(stub.paths) == 1


def test_a_closed_client_sends_nothing(stub: Stub, make_api: MakeApi) -> None:
    api = make_api()
    api.close()
    assert "the client is closed" in str(error_of(api))
    assert stub.paths == []
