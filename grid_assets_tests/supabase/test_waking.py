"""Wake-ups that come at once, too early or again, and parts that die: one forecast, none lost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
import requests
from pydantic import SecretStr

from grid_assets.warehouse.connection import connect
from grid_assets_tests.http_stub import Reply
from grid_assets_tests.pooler import needs_pgbouncer, new_pooler
from grid_assets_tests.reading import ask
from grid_assets_tests.running import wait_until
from grid_assets_tests.supabase.conftest import Rows, Spied
from grid_assets_tests.supabase.edge import SECRET, Edge, edge_function
from grid_assets_tests.supabase.github import GitHub

pytestmark = pytest.mark.slow

LOCK: Final = "SELECT FROM ops.locks WHERE name = 'ops.wakeups' FOR UPDATE"
"""Held by a test, it keeps claims waiting."""

WAITING: Final = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = "
CLAIMS_WAITING: Final = f"{WAITING} current_database()"

STATES: Final = "SELECT status, error_type FROM ops.wakeups ORDER BY woken_at"


@pytest.fixture
def spied_edge(spied: Spied, github: GitHub, folder: Path) -> Any:
    with edge_function(folder, spied.waker, **github.variables) as edge:
        yield edge


def let_the_claim_run_out(url: SecretStr) -> None:
    """As if the minute, or the quarter of an hour, had passed."""
    with connect(url) as connection:
        connection.execute(
            "UPDATE ops.wakeups SET lease_until = now() - interval '1 second' "
            "WHERE status IN ('claimed', 'started')"
        )


def forecast(url: SecretStr) -> None:
    """What the started workflow leaves: an issue that has used all telemetry."""
    with connect(url) as connection:
        connection.execute(
            "INSERT INTO forecast.models (model, source, revision) VALUES ('tests', 'tests', '1') "
            "ON CONFLICT DO NOTHING"
        )
        connection.execute(
            "INSERT INTO forecast.issues (model, issued_at, created_at, revision, intensity_to, "
            "mix_to, context_missing, context_assumed, known_by) "
            "SELECT 'tests', latest, now(), '1', intensity_to, mix_to, 0, 0, 'capture' "
            "FROM forecast.telemetry_ends(now())"
        )


# At once.


def test_a_thousand_wake_ups_in_a_second_make_one_start_and_few_questions(
    spied: Spied, spied_edge: Edge, github: GitHub
) -> None:
    sessions = [requests.Session() for _ in range(50)]
    most = 0

    def wake_twenty_times(session: requests.Session) -> list[str]:
        headers = {"x-grid-secret": SECRET}
        answers = [session.post(spied_edge.url, headers=headers, timeout=60) for _ in range(20)]
        return [answer.json()["decision"] for answer in answers]

    with ThreadPoolExecutor(50) as pool:
        flood = [pool.submit(wake_twenty_times, session) for session in sessions]
        while not all(one.done() for one in flood):
            [(connections,)] = ask(
                spied.url,
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = 'forecast-on-telemetry'",
            )
            most = max(most, connections)
        decisions = Counter(decision for one in flood for decision in one.result())
    # those who shared the claim that may start share its answer
    assert set(decisions) == {"start", "claimed"}
    assert decisions.total() == 1000
    assert len(github.dispatches) == 1
    assert ask(spied.url, STATES) == [("started", None)]
    assert most <= 2
    assert len(spied.tokens()) < 500


def test_who_comes_during_a_claim_shares_the_next_one_and_never_that_one(
    spied: Spied, spied_edge: Edge, github: GitHub
) -> None:
    """The claim in progress may have looked before their telemetry was there."""
    with psycopg.connect(spied.url.get_secret_value()) as holder, ThreadPoolExecutor(12) as pool:
        holder.execute(LOCK.encode())
        first = pool.submit(spied_edge.wake, "cron")
        wait_until(lambda: ask(spied.url, CLAIMS_WAITING), 60)
        later = [pool.submit(spied_edge.wake, "webhook") for _ in range(10)]
        time.sleep(0.5)  # until they are there; where they are not, there is one more question
        holder.rollback()
        assert first.result().json()["decision"] == "start"
        assert {one.result().json()["decision"] for one in later} == {"claimed"}
    assert 2 <= len(spied.tokens()) <= 5
    assert len(set(spied.tokens())) == len(spied.tokens())
    assert ask(spied.url, "SELECT source FROM ops.wakeups") == [("cron",)]
    assert len(github.dispatches) == 1


# Too early, or for nothing.


def test_telemetry_that_settles_is_looked_at_again_without_another_wake_up(
    spied: Spied, spied_edge: Edge, github: GitHub
) -> None:
    spied.will_decide(("settling", 1), ("settling", 1))
    answer = spied_edge.wake()
    assert (answer.status_code, answer.json()) == (202, {"decision": "settling"})
    wait_until(lambda: github.dispatches, 60)
    assert len(spied.tokens()) == 3


def test_telemetry_that_never_settles_is_not_looked_at_for_ever(
    spied: Spied, spied_edge: Edge, github: GitHub
) -> None:
    spied.will_decide(*[("settling", 0)] * 7)
    spied_edge.wake()
    wait_until(lambda: len(spied.tokens()) == 6, 60)
    time.sleep(0.2)  # nothing more comes of it
    assert len(spied.tokens()) == 6
    # the next wake-up looks again, and what has settled is started
    assert spied_edge.wake().json() == {"decision": "settling"}
    assert spied_edge.wake().json()["decision"] == "start"
    assert len(github.dispatches) == 1


@pytest.mark.parametrize("decision", ["up_to_date", "failed_lately", "blocked", "backing_off"])
def test_what_is_not_due_is_not_started(
    spied: Spied, spied_edge: Edge, github: GitHub, decision: str
) -> None:
    spied.will_decide((decision, None))
    answer = spied_edge.wake()
    assert (answer.status_code, answer.json()) == (200, {"decision": decision})
    assert github.dispatches == []


def test_after_the_forecast_nothing_is_due(
    edge: Edge, github: GitHub, warehouse: SecretStr
) -> None:
    github.on_dispatch = lambda _: forecast(warehouse)
    assert edge.wake().json()["decision"] == "start"
    github.wait_for_runs()
    assert edge.wake("cron").json() == {"decision": "up_to_date"}
    assert ask(warehouse, STATES) == [("answered", None)]
    assert len(github.dispatches) == 1


# The function is killed.


def test_killed_between_claim_and_start_the_next_one_starts_the_model(
    warehouse: SecretStr, waker: SecretStr, github: GitHub, folder: Path
) -> None:
    """The claim keeps others from starting until it runs out."""
    github.scripted.append(Reply(b"", 500, wait_s=20))  # nothing was started, and nothing is said
    with edge_function(folder, waker, **github.variables) as edge, ThreadPoolExecutor(1) as pool:
        call = pool.submit(edge.wake)
        wait_until(lambda: github.in_flight, 60)
        edge.kill()
        assert isinstance(call.exception(60), requests.ConnectionError)
        edge.start()
        assert edge.wake().json() == {"decision": "claimed"}
        let_the_claim_run_out(warehouse)
        assert edge.wake("cron").json()["decision"] == "start"
    assert len(github.dispatches) == 1
    assert ask(warehouse, STATES) == [("expired", "NotStarted"), ("started", None)]


@pytest.mark.parametrize("has_forecast", [True, False])
def test_killed_between_start_and_report_no_forecast_is_lost_or_made_twice(
    warehouse: SecretStr, waker: SecretStr, github: GitHub, folder: Path, has_forecast: bool
) -> None:
    github.scripted.append(Reply(b"", 204, wait_s=20))  # accepted, and the answer never arrives
    if has_forecast:
        github.on_dispatch = lambda _: forecast(warehouse)
    with edge_function(folder, waker, **github.variables) as edge, ThreadPoolExecutor(1) as pool:
        pool.submit(edge.wake)
        wait_until(lambda: github.dispatches, 60)
        edge.kill()
        github.wait_for_runs()
        let_the_claim_run_out(warehouse)
        edge.start()
        if has_forecast:
            assert edge.wake().json() == {"decision": "up_to_date"}
            assert ask(warehouse, STATES) == [("answered", None)]
        else:  # the run itself has died, or waits: a second one finds nothing to do then
            assert edge.wake().json()["decision"] == "start"
            assert ask(warehouse, STATES) == [("expired", "NotStarted"), ("started", None)]
    assert len(github.dispatches) == (1 if has_forecast else 2)


# The database or its pooler is away.


@needs_pgbouncer
def test_a_claim_whose_answer_a_dying_pooler_lost_is_asked_for_again(
    spied: Spied, github: GitHub, folder: Path
) -> None:
    with (
        new_pooler(spied.waker) as pooler,
        edge_function(folder, pooler.url, **github.variables) as edge,
        psycopg.connect(spied.url.get_secret_value()) as holder,
        ThreadPoolExecutor(1) as pool,
    ):
        holder.execute(LOCK.encode())
        call = pool.submit(edge.wake)
        wait_until(lambda: ask(spied.url, CLAIMS_WAITING), 60)
        pooler.kill()
        holder.rollback()  # the server commits the claim, and has nobody to tell
        wait_until(lambda: ask(spied.url, STATES) == [("claimed", None)], 60)
        pooler.start()
        assert call.result().json()["decision"] == "start"
    assert len(github.dispatches) == 1
    assert len(spied.tokens()) > 1
    assert len(set(spied.tokens())) == 1
    assert ask(spied.url, STATES) == [("started", None)]


@needs_pgbouncer
def test_wake_ups_through_a_pooler_that_dies_again_and_again_make_one_start(
    spied: Spied, github: GitHub, folder: Path
) -> None:
    with (
        new_pooler(spied.waker) as pooler,
        edge_function(folder, pooler.url, **github.variables) as edge,
        ThreadPoolExecutor(8) as pool,
    ):
        calls = []
        for _ in range(3):
            calls += [pool.submit(edge.wake) for _ in range(8)]
            pooler.kill()
            calls += [pool.submit(edge.wake) for _ in range(8)]
            pooler.start()
        statuses = {call.result().status_code for call in calls}
        assert statuses <= {200, 503}
        assert edge.wake().json() == {"decision": "claimed"}
    assert len(github.dispatches) == 1
    assert ask(spied.url, STATES) == [("started", None)]


@needs_pgbouncer
def test_a_database_that_is_away_is_told_and_the_next_wake_up_finds_it_again(
    warehouse: SecretStr, waker: SecretStr, github: GitHub, folder: Path
) -> None:
    with (
        new_pooler(waker) as pooler,
        edge_function(folder, pooler.url, **github.variables) as edge,
    ):
        pooler.kill()
        answer = edge.wake()
        assert answer.status_code == 503
        assert answer.json()["error"]["type"] == "DatabaseUnreachable"
        assert edge.events("claim_failed")
        pooler.start()
        assert edge.wake().json()["decision"] == "start"
    assert len(github.dispatches) == 1


def test_a_database_that_does_not_answer_is_given_up(
    spied: Spied, github: GitHub, folder: Path
) -> None:
    limits = {"GRID_WAKE_TIMEOUT_MS": "400"}
    with (
        edge_function(folder, spied.waker, **github.variables, **limits) as edge,
        psycopg.connect(spied.url.get_secret_value()) as holder,
    ):
        holder.execute(LOCK.encode())
        answer = edge.wake()
        assert (answer.status_code, answer.json()["error"]["type"]) == (503, "DatabaseUnreachable")
    assert github.dispatches == []


def test_the_url_decides_on_encryption(spied: Spied, github: GitHub, folder: Path) -> None:
    [(has_tls,)] = ask(spied.url, "SHOW ssl")
    encrypted = SecretStr(f"{spied.waker.get_secret_value()}?sslmode=require")
    limits = {"GRID_WAKE_TIMEOUT_MS": "5000"}
    with edge_function(folder, encrypted, **github.variables, **limits) as edge:
        assert edge.wake().status_code == (200 if has_tls == "on" else 503)


def test_a_start_that_cannot_be_reported_is_told(
    spied: Spied, spied_edge: Edge, github: GitHub
) -> None:
    with connect(spied.url) as connection:
        connection.execute("DROP FUNCTION ops.report_start(uuid, text, text, text, integer)")
    answer = spied_edge.wake()
    assert (answer.status_code, answer.json()["reported"]) == (200, False)
    [event] = spied_edge.events("start_not_reported")
    assert event["token"] == answer.json()["token"]
    assert "does not exist" in event["message"]


def test_a_statement_that_the_database_refuses_is_told(
    new_database: Callable[[], SecretStr], github: GitHub, folder: Path
) -> None:
    """Such as before `grid migrate`."""
    with edge_function(folder, new_database(), **github.variables) as edge:
        answer = edge.wake()
    assert answer.status_code == 500
    assert answer.json()["error"]["type"] == "DatabaseRefused"
    assert 'schema "ops" does not exist' in answer.json()["error"]["message"]


# Memory.


def test_two_hundred_wake_ups_take_little_memory(edge: Edge, rows: Rows) -> None:
    """A generous bound: the target, 64 MB, is for a quiet machine. `measure.py` takes the time."""
    with requests.Session() as session:
        for _ in range(200):
            session.post(edge.url, headers={"x-grid-secret": SECRET}, timeout=60)
    assert edge.memory_mb() < 128
