"""Pings by the protocol of healthchecks.io, to a real server that also misbehaves."""

from __future__ import annotations

import time

import pytest
from pydantic import SecretStr

from grid_assets.alarms.heartbeat import fail_address, ping
from grid_assets.settings import Settings
from grid_assets_tests.alarms.healthchecks import CHECK, Healthchecks
from grid_assets_tests.http_stub import Reply
from grid_assets_tests.running import free_port

ANSWER_S = 30
"""Limit where an answer comes, however busy the machine is."""

IMPATIENT_S = 1.0
"""Limit where none comes in time."""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hc-ping.com/uuid", "https://hc-ping.com/uuid/fail"),
        ("https://hc-ping.com/uuid/", "https://hc-ping.com/uuid/fail"),
        (
            "https://h.example/a/ping/key/slug?create=1",
            "https://h.example/a/ping/key/slug/fail?create=1",
        ),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/fail"),
    ],
    ids=["plain", "slash", "path-and-query", "no-path"],
)
def test_fail_is_appended_to_the_path_and_the_query_stays(url: str, expected: str) -> None:
    assert fail_address(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "hc-ping.com/uuid",
        "htps://hc-ping.com/uuid",
        "https://h.example:port/",
        "https://h.example/a b",
        "https://h.example/#a",
    ],
    ids=["no-scheme", "scheme", "port", "space", "fragment"],
)
def test_a_typo_is_a_sentence_and_no_error_of_the_settings(url: str) -> None:
    fault = Settings(heartbeat_url=SecretStr(url)).heartbeat_fault
    assert fault is not None
    assert url not in fault


@pytest.mark.slow
def test_healthy_and_failed_cycles_are_told_apart(healthchecks: Healthchecks) -> None:
    assert ping(healthchecks.address) is None
    assert ping(healthchecks.address, "raw.intensity failed: größer") is None
    assert healthchecks.kinds == "+-"
    assert healthchecks.pings[1].reason == "raw.intensity failed: größer"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reply", "kind", "tries", "limit_s"),
    [
        (Reply(wait_s=30), "TimedOut", 2, IMPATIENT_S),
        (Reply(b"OK" * 100, drip_s=0.2), "TimedOut", 2, IMPATIENT_S),
        (Reply(b"", reset=True), "Unreachable", 2, ANSWER_S),
        (Reply(status=503), "HttpStatus", 2, ANSWER_S),
        (Reply(status=404), "HttpStatus", 1, ANSWER_S),
        (Reply(b"OK (not found)"), "Unknown", 1, ANSWER_S),
        (Reply(b"OK (rate limited)"), "RateLimited", 2, ANSWER_S),
        (Reply(status=302, headers={"Location": "ftp://127.0.0.1/"}), "Moved", 1, ANSWER_S),
        (Reply(status=302, headers={"Location": f"{CHECK}?create=0"}), "Moved", 4, ANSWER_S),
    ],
    ids=["hang", "drip", "reset", "503", "404", "not-found", "limited", "elsewhere", "in-a-circle"],
)
def test_a_fault_is_said_without_the_address_and_in_time(
    healthchecks: Healthchecks, reply: Reply, kind: str, tries: int, limit_s: float
) -> None:
    healthchecks.script = lambda path: reply
    started = time.monotonic()
    fault = ping(healthchecks.address, limit_s=limit_s)
    assert fault is not None
    assert fault.kind == kind
    assert CHECK not in fault.message
    assert str(healthchecks.server_port) not in fault.message
    assert len(healthchecks.paths) == tries
    # far from any limit of the machine: two tries, each with a process
    assert time.monotonic() - started < 60


@pytest.mark.slow
def test_a_redirect_is_followed_with_its_body(healthchecks: Healthchecks) -> None:
    target = f"{CHECK}/fail?create=0"
    healthchecks.replies(Reply(status=308, headers={"Location": target}), Reply(b"OK"))
    assert ping(healthchecks.address, "why") is None
    assert healthchecks.pings[-1].reason == "why"


@pytest.mark.slow
def test_nobody_there(healthchecks: Healthchecks) -> None:
    fault = ping(SecretStr(f"http://127.0.0.1:{free_port()}/x"), limit_s=ANSWER_S)
    assert fault is not None
    assert fault.kind == "Unreachable"
