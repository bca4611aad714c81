"""All three recorded APIs over HTTP on one port, and the faults that only a connection shows."""

from __future__ import annotations

import time

import pytest
import requests

from grid_assets.replay.addresses import source_urls
from grid_assets_tests.replay.conftest import Caller

WINDFOR = "/elexon/bmrs/api/v1/datasets/WINDFOR"
RESOURCE = "db6c038f-98af-4570-ab60-24d71ebd0ae5"
EMBEDDED = f"/neso-portal/api/3/action/datastore_search?resource_id={RESOURCE}"
SHOW = f"/neso-portal/api/3/action/resource_show?id={RESOURCE}"
PATHS = {"carbon_intensity": "/intensity", "elexon": WINDFOR, "neso_portal": EMBEDDED}


def test_one_port_serves_three_apis_at_the_addresses_of_the_settings(replay: Caller) -> None:
    urls = source_urls(replay.server.url)
    assert {name: url.removeprefix(replay.server.url) for name, url in urls.items()} == {
        "api_url": "",
        "elexon_url": "/elexon/bmrs/api/v1",
        "neso_portal_url": "/neso-portal/api/3/action",
    }
    assert requests.get(urls["api_url"] + "/generation", timeout=5).json()["data"]["from"]
    assert requests.get(urls["elexon_url"] + "/datasets/FUELHH", timeout=5).json()["data"]
    query = {"resource_id": RESOURCE, "limit": "1"}
    answer = requests.get(urls["neso_portal_url"] + "/datastore_search", query, timeout=5)
    assert len(answer.json()["result"]["records"]) == 1


def test_every_answer_names_the_shift_and_simulated_ones_say_so(replay: Caller) -> None:
    for path in (*PATHS.values(), "/elexon/bmrs/api/v1/x", "/neso-portal/x"):
        assert "shift_weeks=" in replay.get(path).headers["X-Grid-Replay"]
    assert "X-Grid-Simulated" not in replay.get(WINDFOR).headers
    assert replay.get(EMBEDDED).headers["X-Grid-Simulated"]


def test_the_status_counts_requests_of_each_api(replay: Caller) -> None:
    for path in PATHS.values():
        replay.get(path)
    status = replay.get("/replay/status").json()
    assert status["requests"] == {
        "/intensity": 1,
        "elexon WINDFOR": 1,
        "neso_portal datastore_search": 1,
    }
    in_flight = {key: most for key, most in status.items() if key.startswith("max_in_flight")}
    assert in_flight == {
        "max_in_flight": 1,
        "max_in_flight_elexon": 1,
        "max_in_flight_neso_portal": 1,
    }


def test_the_file_of_a_resource_is_reached_by_following_its_redirect(replay: Caller) -> None:
    url = replay.get(SHOW).json()["result"]["url"]
    assert url.startswith(replay.server.url)
    answer = replay.session.get(url, timeout=5)
    assert [past.status_code for past in answer.history] == [302]
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.text.startswith("DATE_GMT,TIME_GMT,")
    assert answer.text.count("\r\n") == 603


@pytest.mark.parametrize("source", PATHS)
def test_one_source_can_be_down_while_the_others_answer(replay: Caller, source: str) -> None:
    shown = replay.control("fault", name="reset", source=source)["faults"]
    expected = {"name": "reset", "times": None, "path": None}
    assert shown == [expected if source == "carbon_intensity" else {"source": source, **expected}]
    for other, path in PATHS.items():
        if other == source:
            with pytest.raises(requests.ConnectionError):
                requests.get(replay.server.url + path, timeout=5)
        else:
            assert replay.get(path).ok


@pytest.mark.parametrize("source", ["elexon", "neso_portal"])
def test_bodies_fail_as_those_of_the_first_api_do(replay: Caller, source: str) -> None:
    path = PATHS[source]
    good = replay.get(path)
    replay.control("fault", name="truncated", source=source, times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        replay.get(path)
    replay.control("fault", name="truncated_json", source=source, times=1)
    assert replay.get(path).text == good.text[: len(good.text) // 2]
    replay.control("fault", name="huge", source=source, size_mb=3, times=1)
    assert len(replay.get(path).content) > 3_000_000
    replay.control("fault", name="slow", source=source, seconds=0.3, times=1)
    began = time.monotonic()
    assert replay.get(path).ok
    assert time.monotonic() - began > 0.25
    replay.control("fault", name="hang", source=source, times=1)
    with pytest.raises(requests.ReadTimeout):
        requests.get(replay.server.url + path, timeout=0.2)
    replay.control("fault", name="html", source=source, times=1)
    assert replay.get(path).headers["Content-Type"].startswith("text/html")
    assert replay.get(path).content == good.content


@pytest.mark.parametrize(
    "document",
    [
        {"name": "500", "source": "nobody"},
        {"name": "500", "source": ["elexon"]},
        {"name": "share_101", "source": "elexon"},
        {"name": "success_false", "source": "elexon"},
        {"name": "success_false"},
        {"name": "periods", "source": "elexon", "periods": 48},
        {"name": "wrong_window", "source": "elexon", "days": 0},
    ],
)
def test_faults_that_do_not_exist_are_refused(replay: Caller, document: dict[str, object]) -> None:
    url = f"{replay.server.url}/replay/fault"
    answer = replay.session.post(url, json=document, timeout=5)
    assert answer.status_code == 400
    assert replay.get("/replay/status").json()["faults"] == []
