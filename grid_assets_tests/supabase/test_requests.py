"""Who may wake the function and how, and what refused requests cost."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from pydantic import SecretStr

from grid_assets_tests.reading import ask
from grid_assets_tests.running import wait_until
from grid_assets_tests.supabase.conftest import Rows, Spied, add_telemetry
from grid_assets_tests.supabase.edge import SECRET, Edge, edge_function
from grid_assets_tests.supabase.github import GitHub

pytestmark = pytest.mark.slow

PAYLOAD = {
    "type": "UPDATE",
    "table": "telemetry_landed",
    "schema": "ops",
    "record": {"relation": "core.intensity", "landed_at": "2026-11-26T14:12:09+00:00"},
    "old_record": None,
}
"""A webhook's body."""


@pytest.mark.parametrize(
    "secret",
    [None, "", "wrong", SECRET[:-1], SECRET + "x", SECRET.swapcase()],
    ids=["none", "empty", "wrong", "shorter", "longer", "other-case"],
)
def test_a_request_without_the_secret_is_refused_without_a_hint(
    edge: Edge, github: GitHub, secret: str | None
) -> None:
    answer = edge.wake(secret=secret, json=PAYLOAD)
    assert answer.status_code == 401
    assert answer.json() == {"error": {"type": "Unauthorized"}}
    assert github.dispatches == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_post_wakes(edge: Edge, github: GitHub, method: str) -> None:
    answer = requests.request(method, edge.url, headers={"x-grid-secret": SECRET}, timeout=60)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert github.dispatches == []


def test_a_body_that_is_announced_as_huge_is_refused_before_it_is_sent(
    edge: Edge, github: GitHub
) -> None:
    parts = urlsplit(edge.url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    connection.putrequest("POST", parts.path)
    connection.putheader("x-grid-secret", SECRET)
    connection.putheader("Content-Length", "1000001")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
    assert github.dispatches == []


def test_a_body_without_end_is_neither_read_nor_kept(edge: Edge, github: GitHub) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(1000):
            yield bytes(65_536)

    edge.wake()
    before = edge.memory_mb()
    assert edge.wake(data=chunks()).json() == {"decision": "claimed"}
    assert edge.memory_mb() < before + 30  # it was sent 65 MB
    assert len(github.dispatches) == 1


def test_a_caller_who_hangs_up_has_woken_it_all_the_same(edge: Edge, github: GitHub) -> None:
    parts = urlsplit(edge.url)
    assert parts.hostname is not None
    assert parts.port is not None
    with socket.create_connection((parts.hostname, parts.port)) as caller:
        lines = [f"POST {parts.path} HTTP/1.1", "Host: edge", f"x-grid-secret: {SECRET}"]
        caller.sendall("\r\n".join([*lines, "Content-Length: 0", "", ""]).encode())
    wait_until(lambda: github.dispatches, 60)


def test_what_the_body_says_changes_nothing(edge: Edge, github: GitHub, rows: Rows) -> None:
    """It may be a replayed one, one of another table, or no JSON at all."""
    other = {**PAYLOAD, "schema": "public", "table": "users", "type": "DELETE"}
    bodies = [b"not JSON", json.dumps(other).encode(), *[json.dumps(PAYLOAD).encode()] * 3]
    decisions = [edge.wake(data=body).json()["decision"] for body in bodies]
    assert decisions == ["start", *["claimed"] * 4]
    assert len(github.dispatches) == 1
    assert rows("SELECT status FROM ops.wakeups") == [("started",)]


@pytest.mark.parametrize(
    ("query", "source"),
    [
        ("?source=webhook", "webhook"),
        ("?source=cron", "cron"),
        ("?source=x'--", "other"),
        ("", "other"),
    ],
)
def test_the_source_is_a_label(edge: Edge, rows: Rows, query: str, source: str) -> None:
    requests.post(f"{edge.url}{query}", headers={"x-grid-secret": SECRET}, timeout=60)
    assert rows("SELECT source FROM ops.wakeups") == [(source,)]


def test_a_flood_of_wrong_secrets_costs_a_few_writes_and_all_are_counted(
    spied: Spied, github: GitHub, folder: Path
) -> None:
    """The sums are written with the first request, and ten seconds later with the rest."""
    flood, refused = 300, "FROM ops.wakeups WHERE status = 'refused'"
    with edge_function(folder, spied.waker, **github.variables) as edge:

        def knock(number: int) -> int:
            return edge.wake(secret="wrong" if number % 3 else None).status_code

        with ThreadPoolExecutor(20) as pool:
            assert set(pool.map(knock, range(flood))) == {401}
        wait_until(lambda: ask(spied.url, f"SELECT sum(times) {refused}") == [(flood,)], 60)
        assert sorted(ask(spied.url, f"SELECT error_type, times {refused}")) == [
            ("no_secret", flood // 3),
            ("wrong_secret", flood - flood // 3),
        ]
        # of each kind one or two, where a slow machine takes longer than ten seconds a few more
        assert spied.writes_of_refusals() < flood / 10
        assert github.dispatches == []
        assert edge.wake().json()["decision"] == "start"


def test_a_flood_while_the_database_is_down_is_in_the_log(github: GitHub, folder: Path) -> None:
    nowhere = SecretStr("postgresql://grid_waker:a%20password@127.0.0.1:1/grid")
    with edge_function(folder, nowhere, **github.variables) as edge:
        assert edge.wake(secret="wrong").status_code == 401
        wait_until(lambda: edge.events("refusals_not_written"), 60)
        [event] = edge.events("refusals_not_written")
        assert (event["reason"], event["times"]) == ("wrong_secret", 1)


# Settings.

DAGSTER = {"GRID_DAGSTER_URL": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("changes", "variable"),
    [
        ({"GRID_WAKE_SECRET": ""}, "GRID_WAKE_SECRET"),
        ({"GRID_WAKE_SECRET": "fifteen letters"}, "GRID_WAKE_SECRET"),
        ({"GRID_DATABASE_URL": ""}, "GRID_DATABASE_URL"),
        ({"GRID_DATABASE_URL": "mysql://me:hidden-word@host/grid"}, "GRID_DATABASE_URL"),
        ({"GRID_GITHUB_REPOSITORY": ""}, "GRID_GITHUB_REPOSITORY"),
        ({"GRID_GITHUB_REPOSITORY": "hidden-word"}, "GRID_GITHUB_REPOSITORY"),
        ({"GRID_GITHUB_TOKEN": ""}, "GRID_GITHUB_TOKEN"),
        ({"GRID_GITHUB_API_URL": "https://me:hidden-word@host"}, "GRID_GITHUB_API_URL"),
        (DAGSTER, "GRID_GITHUB_REPOSITORY"),
        (
            {"GRID_GITHUB_REPOSITORY": "", "GRID_DAGSTER_URL": "http://me:hidden-word@host"},
            "GRID_DAGSTER_URL",
        ),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not(
    folder: Path, changes: dict[str, str], variable: str
) -> None:
    given = {
        "GRID_DATABASE_URL": "postgresql://grid_waker:hidden-word@127.0.0.1/grid",
        "GRID_GITHUB_REPOSITORY": "someone/something",
        "GRID_GITHUB_TOKEN": "hidden-word",
    }
    with edge_function(folder, None, **(given | changes)) as edge:
        if variable != "GRID_WAKE_SECRET":
            assert edge.wake(secret="wrong").json() == {"error": {"type": "Unauthorized"}}
        answer = edge.wake(secret=edge.variables["GRID_WAKE_SECRET"])
        error: dict[str, Any] = answer.json()["error"]
        assert (answer.status_code, error["type"]) == (500, "WrongSetting")
        assert error["variable"] == variable
        assert error["message"].startswith(variable)
        [logged] = edge.events("wrong_setting")
        assert logged["message"] == error["message"]
        assert "hidden-word" not in answer.text + edge.log()


def test_white_space_around_a_setting_is_no_part_of_it(
    warehouse: SecretStr, waker: SecretStr, github: GitHub, folder: Path
) -> None:
    """Secrets are pasted; a line break at the end would make every wake-up a refused one."""
    add_telemetry(warehouse)
    padded = {name: f" {value}\n" for name, value in github.variables.items()}
    with edge_function(folder, waker, **padded, GRID_WAKE_SECRET=f"{SECRET}\n") as edge:
        assert edge.wake().json()["decision"] == "start"
