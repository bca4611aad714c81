"""The recorded API over real HTTP: shapes, edges, refusals, control and counts."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from grid_assets.halfhours import HALF_HOUR, api_time
from grid_assets.replay.server import ReplayServer
from grid_assets.sources.http.session import is_loopback
from grid_assets_tests.replay.conftest import Caller

FIXTURES = Path(__file__).parent.parent / "fixtures"
RANGE = "/intensity/2026-11-21T00:00Z/2026-11-22T00:00Z"
AROUND = "/intensity/2026-11-22T12:00Z/2026-11-22T14:30Z"
MIX_AROUND = "/generation/2026-11-22T11:00Z/2026-11-22T14:30Z"


def shape(value: Any) -> Any:
    """Keys and kinds of values; null, whole and decimal numbers are alike."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return "number or null" if value is None or isinstance(value, int | float) else "text"


def recorded(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())["data"]


def test_answers_have_the_shapes_of_the_recorded_bodies(replay: Caller) -> None:
    assert shape(replay.data(RANGE)[0]) == shape(recorded("intensity_range_2020-01-01")[0])
    fw48h = replay.data("/intensity/2026-11-22T13:30Z/fw48h")
    assert shape(fw48h[0]) == shape(recorded("intensity_range_2020-01-01")[0])
    mix = replay.data("/generation/2026-11-21T00:00Z/2026-11-22T00:00Z")
    assert shape(mix[0]) == shape(recorded("generation_range_2019-04-01")[0])
    assert shape(replay.data("/generation")) == shape(recorded("generation_now_2026-07"))
    assert shape(replay.data("/intensity")) == shape(recorded("intensity_now"))
    assert replay.data("/intensity/factors") == recorded("intensity_factors_2026")


def test_shares_are_written_like_the_apis(replay: Caller) -> None:
    text = replay.get("/generation").text
    assert '{"fuel":"coal","perc":0}' in text
    assert ".0}" not in text


def test_the_addresses_without_dates_answer_with_the_newest_half_hour(replay: Caller) -> None:
    (current,) = replay.data("/intensity")
    assert current["from"] == "2026-11-22T13:00Z"
    assert current["intensity"]["actual"] is None
    assert replay.data("/generation")["from"] == "2026-11-22T12:30Z"


@pytest.mark.parametrize("days", [1, 3, 14])
@pytest.mark.parametrize("kind", ["intensity", "generation"])
def test_days_give_their_half_hours_and_the_one_that_ends_where_they_start(
    replay: Caller, kind: str, days: int
) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    path = f"/{kind}/{api_time(start)}/{api_time(start + timedelta(days=days))}"
    records = replay.data(path)
    assert len(records) == 48 * days + 1
    assert records[0]["to"] == api_time(start)


@pytest.mark.parametrize(
    ("start", "rows"),
    [("13:00", 97), ("13:30", 97), ("13:01", 96), ("13:17", 96), ("12:00", 97)],
)
def test_the_48_hours_have_an_edge_row_from_an_exact_half_hour(
    replay: Caller, start: str, rows: int
) -> None:
    answer = replay.get(f"/intensity/2026-11-22T{start}Z/fw48h")
    records = answer.json()["data"]
    assert len(records) == rows
    assert all(record["intensity"]["actual"] is None for record in records)
    assert answer.headers["X-Grid-Simulated"] == "fw48h"


def test_only_answers_with_simulated_values_are_marked(replay: Caller) -> None:
    assert "X-Grid-Simulated" not in replay.get(RANGE).headers
    assert "X-Grid-Simulated" not in replay.get("/intensity").headers
    ahead = replay.get(AROUND)
    assert ahead.headers["X-Grid-Simulated"] == "fw48h"
    forecasts = {r["from"]: r["intensity"]["forecast"] for r in ahead.json()["data"]}
    for record in replay.data("/intensity/2026-11-22T13:30Z/fw48h")[:3]:
        assert record["intensity"]["forecast"] == forecasts[record["from"]]


def test_every_answer_names_the_shift(replay: Caller) -> None:
    for path in (RANGE, "/nothing", "/replay/status", "/intensity/x/y"):
        assert replay.get(path).headers["X-Grid-Replay"] == "shift_weeks=49"


@pytest.mark.parametrize(
    "path",
    [
        "/intensity/2026-11-01T00:00Z/2026-11-15T00:01Z",
        "/generation/2026-11-01T00:00Z/2026-11-15T00:30Z",
        "/intensity/yesterday/2026-11-15T00:30Z",
        "/intensity/2026-13-01T00:00Z/2026-11-15T00:30Z",
        "/intensity/2026-11-01T00:00/2026-11-02T00:00",
        "/intensity/2026-11-01/fw48h",
        "/intensity/9999-12-31T23:30Z/fw48h",
        "/generation/0001-01-01T00:00Z/0001-01-01T00:30Z",
    ],
)
def test_bad_windows_are_refused_like_the_apis(replay: Caller, path: str) -> None:
    answer = replay.get(path)
    fixture = json.loads((FIXTURES / "error_400_intensity_date.json").read_text())
    assert answer.status_code == 400
    assert shape(answer.json()) == shape(fixture)
    assert answer.json()["error"]["code"] == fixture["error"]["code"]


@pytest.mark.parametrize("path", ["/", "/regional/england", "/intensity/a/b/c", "/replay/withhold"])
def test_an_unknown_address_is_not_found(replay: Caller, path: str) -> None:
    answer = replay.get(path)
    assert (answer.status_code, list(answer.json())) == (404, ["error"])


def test_an_empty_window_is_a_success_with_no_rows(replay: Caller) -> None:
    body = '{"data":[]}'
    assert replay.get("/intensity/2010-01-01T00:00Z/2010-01-02T00:00Z").text == body
    assert replay.get("/generation/2026-11-24T00:00Z/2026-11-25T00:00Z").text == body
    assert replay.get("/intensity/2026-11-22T00:00Z/2026-11-21T00:00Z").text == body


def test_percent_encoded_times_are_understood(replay: Caller) -> None:
    assert replay.data(RANGE.replace(":", "%3A")) == replay.data(RANGE)


def test_new_half_hours_arrive_as_the_clock_moves(replay: Caller) -> None:
    before = replay.data(MIX_AROUND)
    replay.clock.instant += timedelta(minutes=30)
    after = replay.data(MIX_AROUND)
    assert after[:-1] == before
    assert after[-1]["from"] == "2026-11-22T13:00Z"


def test_another_server_with_the_same_shift_gives_the_same_answers(replay: Caller) -> None:
    with ReplayServer(shift_weeks=49, now=replay.clock) as other:
        assert requests.get(other.url + AROUND, timeout=5).text == replay.get(AROUND).text


def test_withheld_half_hours_are_absent_and_released_one_by_one(replay: Caller) -> None:
    everything, mix = replay.data(AROUND), replay.data(MIX_AROUND)
    fw48h = replay.data("/intensity/2026-11-22T13:30Z/fw48h")
    assert replay.control("withhold", half_hours=3)["withheld_from"] == "2026-11-22T12:00Z"
    assert [r["from"] for r in replay.data(AROUND)] == ["2026-11-22T11:30Z"]
    assert replay.data(MIX_AROUND)[-1]["from"] == "2026-11-22T11:30Z"
    assert replay.data("/intensity")[0]["from"] == "2026-11-22T11:30Z"
    assert replay.data("/intensity/2026-11-22T13:30Z/fw48h") == fw48h

    assert replay.control("release", half_hours=1)["withheld_from"] == "2026-11-22T12:30Z"
    assert replay.data(AROUND) == everything[:2]
    assert replay.control("release", half_hours=1)["withheld_from"] == "2026-11-22T13:00Z"
    assert replay.data("/intensity")[0]["from"] == "2026-11-22T12:30Z"
    assert replay.control("release", half_hours=1)["withheld_from"] is None
    assert replay.data(AROUND) == everything
    assert replay.data(MIX_AROUND) == mix


def test_everything_is_released_at_once_without_a_number(replay: Caller) -> None:
    replay.control("withhold", half_hours=100)
    assert replay.control("release")["withheld_from"] is None
    assert replay.control("release", half_hours=5)["withheld_from"] is None


def test_the_status_shows_the_recording_and_the_requests(replay: Caller) -> None:
    replay.get(RANGE)
    replay.get("/intensity/2026-11-22T13:30Z/fw48h")
    replay.get("/generation")
    replay.get("/generation/x/y")
    replay.get("/unknown")
    assert replay.get("/replay/status").json() == {
        "kind": "replay",
        "shift_weeks": 49,
        "recorded_from": "2018-08-20T23:00Z",
        "recorded_to": "2026-12-25T00:00Z",
        "withheld_from": None,
        "faults": [],
        "requests": {"/intensity": 1, "/intensity/fw48h": 1, "/generation": 2, "other": 1},
        "max_in_flight": 1,
    }


def test_the_largest_number_of_requests_in_flight_is_remembered(replay: Caller) -> None:
    replay.control("fault", name="slow", seconds=0.3)
    with ThreadPoolExecutor(6) as pool:
        urls = [replay.server.url + RANGE] * 6
        assert all(answer.ok for answer in pool.map(lambda u: requests.get(u, timeout=5), urls))
    assert replay.get("/replay/status").json()["max_in_flight"] == 6


@pytest.mark.parametrize(
    ("action", "document"),
    [
        ("withhold", {}),
        ("withhold", {"half_hours": 0}),
        ("withhold", {"half_hours": True}),
        ("withhold", {"half_hours": 10**9}),
        ("withhold", {"half_hours": 1, "days": 1}),
        ("release", {"half_hours": "one"}),
        ("fault", {}),
        ("fault", {"name": "no such fault"}),
        ("fault", {"name": "500", "times": 0}),
        ("fault", {"name": "500", "path": "intensity"}),
        ("fault", {"name": "500", "seconds": 1}),
        ("fault", {"name": "slow", "seconds": -1}),
        ("fault", {"name": "429", "retry_after": "a\r\nb"}),
        ("fault", {"name": "nan", "period": "yesterday"}),
        ("fault", {"name": "drop_fuels", "fuels": "coal"}),
        ("heal", {"name": "500"}),
    ],
)
def test_bad_control_requests_are_refused_with_a_reason(
    replay: Caller, action: str, document: dict[str, Any]
) -> None:
    answer = replay.session.post(f"{replay.server.url}/replay/{action}", json=document, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].endswith(".")
    status = replay.get("/replay/status").json()
    assert (status["faults"], status["withheld_from"]) == ([], None)


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff", b"x" * 70_000])
def test_a_control_request_that_is_not_a_json_object_is_refused(
    replay: Caller, body: bytes
) -> None:
    url, headers = f"{replay.server.url}/replay/heal", {"Content-Type": "application/json"}
    assert replay.session.post(url, data=body, headers=headers, timeout=5).status_code == 400


def test_an_unknown_action_is_not_found(replay: Caller) -> None:
    answer = replay.session.post(f"{replay.server.url}/replay/explode", json={}, timeout=5)
    assert answer.status_code == 404


def test_a_stopped_server_answers_no_one_and_frees_its_port(own_replay: Caller) -> None:
    own_replay.get("/intensity")
    port = urlsplit(own_replay.server.url).port or 0
    own_replay.server.stop()
    with pytest.raises(requests.ConnectionError):
        own_replay.get("/intensity")
    with ReplayServer(port=port, now=own_replay.clock):
        assert own_replay.get("/intensity").ok


def test_only_this_machine_is_served(replay: Caller) -> None:
    assert is_loopback(replay.server.url)
    port = urlsplit(replay.server.url).port
    listening = {c.laddr.ip for c in psutil.Process().net_connections() if c.laddr.port == port}
    assert listening == {"127.0.0.1"}


def test_requests_are_answered_quickly_and_quietly(
    replay: Caller, capfd: pytest.CaptureFixture[str]
) -> None:
    seconds = [replay.get("/intensity/factors").elapsed.total_seconds() for _ in range(20)]
    assert min(seconds) < 0.03  # the best one, because others may wait for a busy machine
    assert capfd.readouterr() == ("", "")


def test_the_current_half_hour_is_the_last_begun_one(replay: Caller) -> None:
    replay.clock.instant = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
    last_ended, current = replay.data("/intensity/2026-11-22T13:30Z/2026-11-22T14:00Z")
    assert current["from"] == api_time(replay.clock.instant)
    before = replay.data("/intensity/2026-11-22T13:00Z/2026-11-22T13:00Z")[0]
    assert before["to"] == api_time(replay.clock.instant - HALF_HOUR)
    assert last_ended["intensity"]["actual"] == before["intensity"]["actual"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},  # what a page may send anywhere without asking first
        {"Content-Type": "application/x-www-form-urlencoded"},
        {},
        {"Content-Type": "application/json", "Origin": "https://evil.example.org"},
        {"Content-Type": "application/json", "Origin": "null"},
        {"Content-Type": "application/json", "Host": "evil.example.org"},
        {"Content-Type": "application/json", "Host": "127.0.0.1.evil.example.org:80"},
    ],
    ids=str,
)
def test_a_web_page_cannot_control_the_replay(replay: Caller, headers: dict[str, str]) -> None:
    replay.control("withhold", half_hours=2)
    replay.control("fault", name="500")
    before = replay.server.status()
    documents = {
        "withhold": '{"half_hours": 9}',
        "release": "{}",
        "fault": '{"name": "404"}',
        "heal": "{}",
    }
    for action, document in documents.items():
        url = f"{replay.server.url}/replay/{action}"
        answer = requests.post(url, data=document, headers=headers, timeout=5)
        assert answer.status_code == 403
        assert "Web pages cannot" in answer.json()["error"]["message"]
        assert replay.server.status() == before
        assert not requests.options(url, timeout=5).ok  # what a browser asks before it sends JSON
