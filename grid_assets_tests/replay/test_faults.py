"""Every fault, as a client of the recorded API sees it."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from http.client import HTTPConnection, IncompleteRead
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from grid_assets.replay.faults import FAULTS
from grid_assets_tests.replay.conftest import Caller

RANGE = "/intensity/2026-11-22T10:00Z/2026-11-22T13:00Z"
MIX = "/generation/2026-11-22T10:00Z/2026-11-22T13:00Z"
FW48H = "/intensity/2026-11-22T13:30Z/fw48h"
PATHS = {"intensity": RANGE, "generation": MIX, "forecast": FW48H}

Record = dict[str, Any]


def shares(record: Record) -> dict[str, float]:
    return {entry["fuel"]: entry["perc"] for entry in record["generationmix"]}


def value(record: Record) -> Any:
    if "generationmix" in record:
        return shares(record)["wind"]
    values = record["intensity"]
    return values["forecast"] if values["actual"] is None else values["actual"]


WHOLE: dict[str, Callable[[requests.Response], bool]] = {
    "400": lambda r: r.status_code == 400 and r.json()["error"]["code"] == "400 Bad Request",
    "404": lambda r: r.status_code == 404 and "error" in r.json(),
    "429": lambda r: r.status_code == 429 and r.headers["Retry-After"] == "1",
    "500": lambda r: r.status_code == 500 and "error" in r.json(),
    "html": lambda r: r.ok and r.headers["Content-Type"].startswith("text/html") and "<" in r.text,
    "empty_object": lambda r: r.ok and r.json() == {},
    "empty_list": lambda r: r.ok and r.json() == {"data": []},
}

# Whether the records that replace the last one are right, given that one.
CHANGED: dict[str, Callable[[list[Any], Record], bool]] = {
    "nan": lambda new, old: math.isnan(value(new[0])),
    "1e308": lambda new, old: value(new[0]) == 1e308,
    "string_value": lambda new, old: value(new[0]) == str(value(old)),
    "missing_field": lambda new, old: len(json.dumps(new[0])) < len(json.dumps(old)),
    "not_a_dict": lambda new, old: new == ["not a record"],
    "negative_share": lambda new, old: shares(new[0])["wind"] == -5,
    "share_101": lambda new, old: shares(new[0])["wind"] == 101,
    "drop_fuels": lambda new, old: set(shares(old)) - set(shares(new[0])) == {"coal", "hydro"},
    "tenth_fuel": lambda new, old: shares(new[0]) == {**shares(old), "tidal": 0.4},
    "script_fuel": lambda new, old: "<script>alert(1)</script>" in shares(new[0]),
    "duplicate": lambda new, old: new == [old, old],
    "duplicate_conflict": lambda new, old: (
        new[0] == old and new[1]["from"] == old["from"] and new[1] != old
    ),
    "off_grid": lambda new, old: int(new[0]["from"][14:16]) - int(old["from"][14:16]) == 17,
    "no_zone": lambda new, old: new[0]["from"] + "Z" == old["from"],
    "actual_null": lambda new, old: new[0]["intensity"]["actual"] is None,
    "actual_zero": lambda new, old: new[0]["intensity"]["actual"] == 0,
    "forecast_13579": lambda new, old: new[0]["intensity"]["forecast"] == 13579,
    "revision": lambda new, old: (
        value(new[0]) == value(old) + 3
        if "intensity" in old
        else value(new[0]) == pytest.approx(value(old) - 0.6)
        and shares(new[0])["other"] == pytest.approx(shares(old)["other"] + 0.6)
    ),
}
OF_REGIONS = {
    "region_missing",
    "region_unknown",
    "region_renamed",
    "region_no_mix",
    "region_actual",
}
"""They are tested in `test_regional`."""

DELIVERY = {"truncated", "truncated_json", "huge", "slow", "hang", "reset"}

# The kinds of answer that a fault applies to, where these are not all three.
APPLIES_TO = {
    "negative_share": {"generation"},
    "share_101": {"generation"},
    "drop_fuels": {"generation"},
    "tenth_fuel": {"generation"},
    "script_fuel": {"generation"},
    "actual_null": {"intensity"},
    "actual_zero": {"intensity"},
    "forecast_13579": {"intensity", "forecast"},
    "revision": {"intensity", "generation"},
}


def applies(name: str, kind: str) -> bool:
    return kind in APPLIES_TO.get(name, PATHS)


def test_every_fault_is_tested_and_described() -> None:
    assert set(FAULTS) == {*WHOLE, *CHANGED, *OF_REGIONS, *DELIVERY}
    assert all(fault.summary and "\n" not in fault.summary for fault in FAULTS.values())
    of_record = {name for name, fault in FAULTS.items() if fault.of_record}
    assert of_record == {*CHANGED, *OF_REGIONS}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_answer_is_replaced_the_given_number_of_times(replay: Caller, name: str) -> None:
    good = replay.get(RANGE).text
    replay.control("fault", name=name, times=2)
    assert WHOLE[name](replay.get(RANGE))
    assert WHOLE[name](replay.get(MIX))
    assert replay.get(RANGE).text == good


@pytest.mark.parametrize(
    ("name", "kind"),
    [(n, kind) for n in CHANGED for kind in PATHS if applies(n, kind)],
)
def test_the_last_record_is_changed_and_no_other(replay: Caller, name: str, kind: str) -> None:
    good = replay.data(PATHS[kind])
    replay.control("fault", name=name, times=1)
    changed = replay.data(PATHS[kind])
    assert changed[: len(good) - 1] == good[:-1]
    assert CHANGED[name](changed[len(good) - 1 :], good[-1])
    assert replay.data(PATHS[kind]) == good


@pytest.mark.parametrize(
    ("name", "kind"),
    [(n, kind) for n in CHANGED for kind in PATHS if not applies(n, kind)],
)
def test_a_fault_waits_for_an_answer_that_it_applies_to(
    replay: Caller, name: str, kind: str
) -> None:
    good = replay.data(PATHS[kind])
    replay.control("fault", name=name, times=1)
    assert replay.data(PATHS[kind]) == good
    assert replay.get("/replay/status").json()["faults"][0]["times"] == 1


def test_a_chosen_period_is_changed_once_it_is_requested(replay: Caller) -> None:
    period = "2026-11-22T11:00Z"
    replay.control("fault", name="actual_zero", period=period, times=1)
    elsewhere = "/intensity/2026-11-21T10:00Z/2026-11-21T13:00Z"
    assert all(r["intensity"]["actual"] for r in replay.data(elsewhere))
    zeros = [r["from"] for r in replay.data(RANGE) if r["intensity"]["actual"] == 0]
    assert zeros == [period]


def test_faults_of_records_add_up(replay: Caller) -> None:
    for period in ("2026-11-22T11:00Z", "2026-11-22T12:00Z"):
        replay.control("fault", name="actual_null", period=period)
    assert [r["intensity"]["actual"] for r in replay.data(RANGE)].count(None) == 2
    replay.control("fault", name="not_a_dict", period="2026-11-22T11:00Z")
    replay.control("fault", name="revision", period="2026-11-22T11:00Z")
    assert replay.data(RANGE).count("not a record") == 1


def test_an_actual_is_changed_where_there_is_one(replay: Caller) -> None:
    replay.control("fault", name="actual_zero")
    *_, ended, current = replay.data("/intensity/2026-11-22T10:00Z/2026-11-22T13:30Z")
    assert (ended["intensity"]["actual"], current["intensity"]["actual"]) == (0, None)


def test_the_newest_mix_is_changed_too(replay: Caller) -> None:
    replay.control("fault", name="share_101")
    assert shares(replay.data("/generation"))["wind"] == 101


def test_options_change_what_a_fault_does(replay: Caller) -> None:
    replay.control("fault", name="drop_fuels", fuels=["gas", "wind"])
    replay.control("fault", name="tenth_fuel", fuel="fusion")
    newest = shares(replay.data(MIX)[-1])
    assert {"gas", "wind"}.isdisjoint(newest)
    assert newest["fusion"] == 0.4


@pytest.mark.parametrize(
    ("wanted", "header"),
    [(7, "7"), (None, None), ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:28:00 GMT")],
)
def test_the_wait_after_too_many_requests_can_be_chosen(
    replay: Caller, wanted: int | str | None, header: str | None
) -> None:
    replay.control("fault", name="429", retry_after=wanted)
    assert replay.get(RANGE).headers.get("Retry-After") == header


def test_faults_of_whole_answers_happen_one_after_the_other(replay: Caller) -> None:
    replay.control("fault", name="429", times=2)
    replay.control("fault", name="500", times=1)
    assert [replay.get(RANGE).status_code for _ in range(4)] == [429, 429, 500, 200]


def test_a_fault_can_be_limited_to_a_path_and_healed(replay: Caller) -> None:
    status = replay.control("fault", name="500", path="/generation")
    assert status["faults"] == [{"name": "500", "times": None, "path": "/generation"}]
    assert (replay.get(RANGE).status_code, replay.get(MIX).status_code) == (200, 500)
    assert replay.control("heal")["faults"] == []
    assert replay.get(MIX).ok


def test_a_truncated_body_is_shorter_than_announced(replay: Caller) -> None:
    length = len(replay.get(RANGE).content)
    replay.control("fault", name="truncated", times=1)
    connection = HTTPConnection(urlsplit(replay.server.url).netloc, timeout=5)
    connection.request("GET", RANGE)
    with connection.getresponse() as answer, pytest.raises(IncompleteRead) as cut:
        answer.read()
    connection.close()
    assert answer.headers["Content-Length"] == str(length)
    assert len(cut.value.partial) == length // 2
    replay.control("fault", name="truncated", times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        replay.get(RANGE)


def test_truncated_json_arrives_whole_and_cannot_be_read(replay: Caller) -> None:
    good = replay.get(RANGE).text
    replay.control("fault", name="truncated_json", times=1)
    answer = replay.get(RANGE)
    assert answer.text == good[: len(good) // 2]
    assert answer.headers["Content-Length"] == str(len(answer.content))


def test_a_huge_body_announces_no_length_and_goes_on(replay: Caller) -> None:
    good = replay.get(RANGE).json()
    replay.control("fault", name="huge", size_mb=3, times=1)
    answer = replay.get(RANGE)
    assert "Content-Length" not in answer.headers
    assert len(answer.content) > 3_000_000
    assert answer.json() == good
    replay.control("fault", name="huge", size_mb=5_000, times=1)
    with replay.get(RANGE, stream=True) as endless:
        assert len(next(endless.iter_content(100_000))) > 0
    assert replay.get(RANGE).ok


def test_a_slow_body_takes_its_time(replay: Caller) -> None:
    replay.control("fault", name="slow", seconds=0.4)
    began = time.monotonic()
    assert replay.get(RANGE).ok
    assert 0.35 < time.monotonic() - began < 2


def test_a_hanging_request_gets_no_answer_and_ends_with_its_client(replay: Caller) -> None:
    replay.control("fault", name="hang")
    with pytest.raises(requests.ReadTimeout):
        requests.get(replay.server.url + RANGE, timeout=0.2)
    replay.control("heal")
    time.sleep(0.2)
    assert replay.get(RANGE).ok
    assert replay.get("/replay/status").json()["max_in_flight"] == 1


def test_a_hanging_request_can_end_after_some_seconds(replay: Caller) -> None:
    replay.control("fault", name="hang", seconds=0.2)
    began = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        replay.get(RANGE)
    assert 0.15 < time.monotonic() - began < 2


def test_stopping_ends_a_hanging_request(own_replay: Caller) -> None:
    own_replay.control("fault", name="hang")
    began = time.monotonic()
    with pytest.raises(requests.ReadTimeout):
        requests.get(own_replay.server.url + RANGE, timeout=0.1)
    own_replay.server.stop()
    assert time.monotonic() - began < 2


def test_a_reset_breaks_the_connection(replay: Caller) -> None:
    replay.control("fault", name="reset", times=1)
    with pytest.raises(requests.ConnectionError, match=r"reset|aborted"):
        requests.get(replay.server.url + RANGE, timeout=5)
    assert replay.get(RANGE).ok
