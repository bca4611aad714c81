"""The webhook as `grid migrate` installs it, and the faults of Supabase's transport."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from grid_assets.warehouse import wakeups
from grid_assets.warehouse.connection import connect
from grid_assets_tests.reading import ask
from grid_assets_tests.running import wait_until
from grid_assets_tests.supabase import supabase_parts
from grid_assets_tests.supabase.conftest import Login, NewDatabase, add_telemetry
from grid_assets_tests.supabase.edge import SECRET, Edge, edge_function
from grid_assets_tests.supabase.github import GitHub
from grid_assets_tests.supabase.supabase_parts import pg_net

pytestmark = pytest.mark.slow

SOURCES = "SELECT source, status FROM ops.wakeups"


@pytest.fixture
def project(new_database: NewDatabase, template: str) -> SecretStr:
    """A warehouse in a Supabase project, without telemetry."""
    url = new_database(template)
    supabase_parts.install(url)
    return url


@pytest.fixture
def woken(project: SecretStr, login: Login, github: GitHub, tmp_path: Path) -> Iterator[Edge]:
    """The function that the project's webhook wakes."""
    with edge_function(tmp_path, login(project), **github.variables) as edge:
        with connect(project) as connection:
            wakeups.install(connection, edge.url, SecretStr(SECRET), lambda _: None)
        yield edge


def test_telemetry_in_core_starts_the_model_by_webhook(
    project: SecretStr, woken: Edge, github: GitHub
) -> None:
    with pg_net(project) as transport:
        add_telemetry(project)
        wait_until(lambda: github.dispatches, 60)
        answers = "SELECT status_code, timed_out FROM net._http_response"
        wait_until(lambda: len(ask(project, answers)) == 2, 60)
    assert ask(project, SOURCES) == [("webhook", "started")]
    assert set(ask(project, answers)) == {(200, False)}
    assert len(transport.sent) == 2  # one for each table
    assert transport.sent[0].url.endswith("/forecast-on-telemetry?source=webhook")
    assert b'"table": "telemetry_landed"' in transport.sent[0].body
    assert ask(
        project, "SELECT count(*), count(DISTINCT request_id) FROM supabase_functions.hooks"
    ) == [(2, 2)]


def test_doubled_webhooks_start_the_model_once(
    project: SecretStr, woken: Edge, github: GitHub
) -> None:
    with pg_net(project, double_every=1) as transport:
        add_telemetry(project)
        wait_until(lambda: ask(project, "SELECT FROM net._http_response OFFSET 3"), 60)
    assert len(transport.sent) == 4
    assert len(github.dispatches) == 1
    assert ask(project, SOURCES) == [("webhook", "started")]


def test_after_lost_webhooks_the_next_wake_up_starts_the_model(
    project: SecretStr, woken: Edge, github: GitHub
) -> None:
    with pg_net(project, lose_every=1) as transport:
        add_telemetry(project)
        wait_until(lambda: len(transport.lost) == 2, 60)
        assert github.dispatches == []
    assert woken.wake("cron").json()["decision"] == "start"
    assert ask(project, SOURCES) == [("cron", "started")]


def test_a_function_that_is_away_stops_no_telemetry(
    project: SecretStr, woken: Edge, github: GitHub
) -> None:
    woken.kill()
    with pg_net(project):
        add_telemetry(project)
        wait_until(lambda: ask(project, "SELECT FROM net._http_response OFFSET 1"), 60)
    [(error,), _] = ask(project, "SELECT error_msg FROM net._http_response")
    assert "refused" in error
    woken.start()
    assert woken.wake("cron").json()["decision"] == "start"
    assert len(github.dispatches) == 1
