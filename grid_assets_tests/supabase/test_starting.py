"""Starting the model by GitHub or Dagster: what is sent, and what each failure leads to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import SecretStr

from grid_assets.warehouse.connection import connect
from grid_assets.warehouse.urls import read
from grid_assets_tests.http_stub import Asked, Reply, Stub, run
from grid_assets_tests.reading import tables_with
from grid_assets_tests.running import free_port
from grid_assets_tests.supabase.conftest import Rows
from grid_assets_tests.supabase.edge import SECRET, Edge, edge_function
from grid_assets_tests.supabase.github import REPOSITORY, TOKEN, GitHub, said

pytestmark = pytest.mark.slow

OUTCOME: Final = (
    "SELECT wakeup::text, status, started_by, error_type, error_message, "
    "extract(epoch FROM retry_at - finished_at)::float FROM ops.wakeups"
)


def failure(edge: Edge, rows: Rows, by: str = "github") -> tuple[str, str, float]:
    """Wake once; the start must fail, and be told alike in the answer, the table and the log."""
    answer = edge.wake()
    assert answer.status_code == 502, answer.text
    body = answer.json()
    [(token, status, started_by, kind, message, pause_s)] = rows(OUTCOME)
    assert body == {
        **{"decision": "start", "by": by, "token": token, "reported": True},
        "error": {**body["error"], "type": kind, "message": message},
    }
    assert (status, started_by) == ("failed", by)
    logged = edge.events("start_failed")[-1]
    assert (logged["token"], logged["type"], logged["message"]) == (token, kind, message)
    again = edge.wake()
    assert (again.status_code, again.json()) == (200, {"decision": "backing_off"})
    return kind, message, pause_s


def wait_over(url: SecretStr) -> None:
    with connect(url) as connection:
        connection.execute("UPDATE ops.wakeups SET retry_at = now() - interval '1 second'")


def test_github_is_sent_the_claim_and_nothing_else(edge: Edge, github: GitHub, rows: Rows) -> None:
    answer = edge.wake()
    [(token, status, by, *rest)] = rows(OUTCOME)
    assert (status, by, rest) == ("started", "github", [None, None, None])
    assert answer.json() == {"decision": "start", "by": by, "token": token, "reported": True}
    assert github.dispatches == [{"event_type": "forecast", "client_payload": {"token": token}}]


ECHO: Final = f"no access with {TOKEN}"
"""A proxy may repeat what it was sent."""


@pytest.mark.parametrize(
    ("reply", "kind", "cure", "at_least_s"),
    [
        (said(401, "Bad credentials"), "Unauthorized", "expired or revoked. Make a new one", 60),
        (said(403, ECHO), "Forbidden", f"workflows of {REPOSITORY} (403, no access with ***)", 60),
        (
            said(403, "API rate limit exceeded", x_ratelimit_remaining="0", x_ratelimit_reset=""),
            "RateLimited",
            "asked again later",
            60,
        ),
        (said(403, "You have exceeded a secondary rate limit"), "RateLimited", "again later", 60),
        (said(429, "Slow down", Retry_After="1200"), "RateLimited", "again later", 1199),
        (said(404, "Not Found"), "NotFound", "Check GRID_GITHUB_REPOSITORY", 60),
        (said(422, "Invalid request."), "EventRefused", "Compare the version", 60),
        (said(500, "Server Error"), "ServerError", "asked again later", 60),
        (Reply(b"<html>Unicorn!</html>", 503), "ServerError", "503, no reason given", 60),
        (
            Reply(b"", 301, {"Location": "https://api.github.com/repositories/1/dispatches"}),
            "Moved",
            "was renamed or moved",
            60,
        ),
        (Reply(b"<html>Log in</html>"), "UnexpectedAnswer", "Check GRID_GITHUB_API_URL", 60),
        (Reply(b"{}", announced=9, reset=True), "Unreachable", "or the connection broke", 60),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_github_refuses_is_told_with_the_cure_and_delays_the_next_start(
    edge: Edge, github: GitHub, rows: Rows, reply: Reply, kind: str, cure: str, at_least_s: float
) -> None:
    github.scripted.append(reply)
    told, message, pause_s = failure(edge, rows)
    assert told == kind
    assert cure in message
    assert at_least_s - 2 <= pause_s <= 3601
    assert github.dispatches == []
    assert TOKEN not in message


def test_a_rate_limit_is_waited_for(edge: Edge, github: GitHub, rows: Rows) -> None:
    reset = str(int((datetime.now(UTC) + timedelta(minutes=40)).timestamp()))
    limited = said(403, "API rate limit", x_ratelimit_remaining="0", x_ratelimit_reset=reset)
    github.scripted.append(limited)
    kind, _, pause_s = failure(edge, rows)
    assert kind == "RateLimited"
    assert 2300 < pause_s < 2500


def test_after_a_failure_the_next_wake_up_starts_the_model(
    edge: Edge, github: GitHub, rows: Rows, warehouse: SecretStr
) -> None:
    github.scripted += [said(500, "Server Error"), None]
    failure(edge, rows)
    wait_over(warehouse)
    assert edge.wake("cron").json()["decision"] == "start"
    assert len(github.dispatches) == 1


def test_a_time_out_is_a_failure_that_says_that_it_may_have_started(
    warehouse: SecretStr, waker: SecretStr, github: GitHub, rows: Rows, tmp_path: Path
) -> None:
    github.scripted.append(Reply(b"", 204, wait_s=5))
    limits = {"GRID_WAKE_TIMEOUT_MS": "1500"}
    with edge_function(tmp_path, waker, **github.variables, **limits) as edge:
        kind, message, _ = failure(edge, rows)
    assert kind == "TimedOut"
    assert message == (
        "GitHub did not answer within 1.5 s. It may have started all the same; "
        "a second start finds nothing to do."
    )
    assert len(github.dispatches) == 1


# Dagster.

PASSWORD: Final = "d2Vic2VydmVyOmEgcGFzc3dvcmQ="


class Dagster(Stub):
    """Answers like a webserver's GraphQL, or as scripted; the real one is in test_ui.py."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Asked] = []

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        return super().answer(asked)


@pytest.fixture(scope="module")
def dagster() -> Iterator[Dagster]:
    with run(Dagster()) as stub:
        yield stub


@pytest.fixture(scope="module")
def edge_of_dagster(
    waker: SecretStr, dagster: Dagster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Edge]:
    variables = {
        "GRID_DAGSTER_URL": f"{dagster.url}/behind/",
        "GRID_DAGSTER_AUTHORIZATION": f"Basic {PASSWORD}",
    }
    with edge_function(tmp_path_factory.mktemp("edge"), waker, **variables) as edge:
        yield edge


def launched(typename: str, **fields: Any) -> Reply:
    body = {"data": {"launchRun": {"__typename": typename, **fields}}}
    return Reply(json.dumps(body).encode(), headers={"Content-Type": "application/json"})


def test_dagster_is_sent_a_run_of_the_forecast(
    edge_of_dagster: Edge, dagster: Dagster, warehouse: SecretStr, rows: Rows
) -> None:
    dagster.replies(launched("LaunchRunSuccess"))
    before = datetime.now(UTC).date()
    answer = edge_of_dagster.wake()
    [(token, status, by, *_)] = rows(OUTCOME)
    assert answer.json() == {"decision": "start", "by": "dagster", "token": token, "reported": True}
    assert (status, by) == ("started", "dagster")
    asked = dagster.asked[-1]
    assert (asked.method, asked.path) == ("POST", "/behind/graphql")
    assert asked.headers["Authorization"] == f"Basic {PASSWORD}"
    request = json.loads(asked.body)["variables"]["run"]
    tags = {tag["key"]: tag["value"] for tag in request["executionMetadata"]["tags"]}
    assert tags["grid/wakeup"] == token
    assert tags["grid/trigger"] == "webhook"
    last = tags["dagster/asset_partition_range_end"]
    assert last in (str(before), str(datetime.now(UTC).date()))
    first = tags["dagster/asset_partition_range_start"]
    assert datetime.fromisoformat(last) - datetime.fromisoformat(first) == timedelta(days=1)


@pytest.mark.parametrize(
    ("reply", "kind", "cure"),
    [
        (Reply(b"", 401), "Unauthorized", "Check GRID_DAGSTER_AUTHORIZATION"),
        (Reply(b"<html>", 403), "Unauthorized", "Check GRID_DAGSTER_AUTHORIZATION"),
        (Reply(b"", 302, {"Location": "/login"}), "Moved", "Set GRID_DAGSTER_URL"),
        (Reply(b"Bad Gateway", 502), "ServerError", "failed (502)"),
        (Reply(b"<html>Welcome to nginx!</html>"), "UnexpectedAnswer", "is not Dagster's"),
        (Reply(b"[]"), "UnexpectedAnswer", "is not Dagster's"),
        (Reply(b'{"data": {"launchRun": {}}}'), "UnexpectedAnswer", "is not Dagster's"),
        (Reply(b'{"data": null, "errors": []}'), "GraphQLError", "no reason given"),
        (
            Reply(b'{"errors": [{"message": "Cannot query field \\"launchRun\\"."}]}', 400),
            "GraphQLError",
            'Cannot query field "launchRun".',
        ),
        (
            launched("PipelineNotFoundError", message="no telemetry"),
            "PipelineNotFoundError",
            "no t",
        ),
        (
            launched(
                "RunConfigValidationInvalid", errors=[{"message": "bad"}, {"message": "worse"}]
            ),
            "RunConfigValidationInvalid",
            "bad; worse",
        ),
        (
            launched("PythonError", message=f"Error\n  with Basic {PASSWORD} " + "x" * 9000),
            "PythonError",
            "Error with *** xxx",
        ),
        (Reply(b"{}", announced=9, reset=True), "Unreachable", "or the connection broke"),
    ],
)
def test_what_dagster_refuses_is_told_with_the_cure(
    edge_of_dagster: Edge,
    dagster: Dagster,
    warehouse: SecretStr,
    rows: Rows,
    reply: Reply,
    kind: str,
    cure: str,
) -> None:
    dagster.replies(reply)
    told, message, _ = failure(edge_of_dagster, rows, "dagster")
    assert told == kind
    assert cure in message
    assert len(message) <= 500


def test_a_webserver_that_is_down_is_told(
    warehouse: SecretStr, waker: SecretStr, rows: Rows, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with edge_function(tmp_path, waker, GRID_DAGSTER_URL=url) as edge:
        kind, message, _ = failure(edge, rows, "dagster")
    assert kind == "Unreachable"
    assert "refused" in message


# Afterwards.


def test_no_log_and_no_table_holds_a_secret(
    one_edge: Edge,
    edge_of_dagster: Edge,
    one_warehouse: SecretStr,
    waker: SecretStr,
) -> None:
    logs = one_edge.log() + edge_of_dagster.log()
    for secret in (SECRET, TOKEN, PASSWORD, str(read(waker)["password"])):
        assert secret not in logs
        assert tables_with(one_warehouse, secret) == []
