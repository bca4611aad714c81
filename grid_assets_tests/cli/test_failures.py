"""Failures while a command runs: a dead API or database, an interruption, a rejected record.

The tests check what is printed, what is recorded, the exit code, and that no password is shown.
"""

from __future__ import annotations

import json
import secrets
import signal
from collections.abc import Callable, Iterator
from urllib.parse import quote, urlsplit, urlunsplit

import pytest
from psycopg import sql
from pydantic import SecretStr

from grid_assets.replay.server import ReplayServer
from grid_assets.warehouse.connection import connect
from grid_assets.warehouse.urls import location
from grid_assets_tests.reading import ask, counts, days_ago, one_sentence, tables_with
from grid_assets_tests.running import (
    GridCommand,
    files_with,
    free_port,
    holders,
    wait_until,
)

NewDatabase = Callable[[str | None], SecretStr]


def test_a_dead_api_fails_the_tick_with_one_sentence_and_a_row(
    recorded: GridCommand, warehouse: SecretStr
) -> None:
    dead = f"127.0.0.1:{free_port()}"
    failed = one_sentence(recorded.run("tick", GRID_API_URL=f"http://{dead}", code=1).text)
    assert failed.startswith("Error: Telemetry failed for ")
    assert f"{dead} cannot be reached" in failed
    assert "GRID_API_URL" in failed
    rows = ask(
        warehouse,
        "SELECT status, error_type, error_message FROM ops.etl_runs "
        "WHERE asset IN ('raw.intensity', 'raw.generation', 'raw.neso_forecast') ORDER BY asset",
    )
    assert [row[:2] for row in rows] == [("failed", "ApiUnreachable")] * 3
    assert dead in rows[0][2]
    unhealthy = recorded.run("status", code=1).out
    assert f"NOT HEALTHY   raw.intensity failed: {dead}" in unhealthy


@pytest.mark.parametrize("name", ["status", "migrate", "tick", "quarantine list"])
def test_a_dead_database_is_named_without_its_password(grid: GridCommand, name: str) -> None:
    port, password = free_port(), secrets.token_hex(8)
    grid.environment["GRID_DATABASE_URL"] = f"postgresql://u:{password}@127.0.0.1:{port}/somewhere"
    failed = grid.run(*name.split(), code=1)
    assert f"127.0.0.1:{port}/somewhere cannot be used" in one_sentence(failed.text)
    assert "GRID_DATABASE_URL" in failed.err
    assert password not in failed.text


def test_an_interrupted_backfill_leaves_failed_rows_and_the_next_run_goes_on(
    recorded: GridCommand, warehouse: SecretStr, replay: ReplayServer
) -> None:
    recorded.environment |= {"GRID_API_TIMEOUT_S": "2", "GRID_API_RETRY_BUDGET_S": "600"}
    hang = {"name": "hang", "times": None, "path": None}
    day = str(days_ago(3))
    backfill = ("backfill", "--from", day, "--to", day)
    running = "SELECT count(*) FROM ops.etl_runs WHERE status = 'running'"

    def requests() -> int:
        return sum(replay.control.status()["requests"].values())

    for number in (signal.SIGINT, signal.SIGTERM):
        replay.control.fault(hang)
        before = requests()
        started = recorded.start(*backfill)
        wait_until(lambda: requests() > before, 60, started.output)  # noqa: B023
        assert ask(warehouse, running) == [(1,)]
        assert started.ends(number) == 130
        assert "Traceback" not in started.output()
        assert ask(warehouse, running) == [(0,)]
    seen = ask(warehouse, "SELECT DISTINCT status, error_type IS NULL FROM ops.etl_runs")
    assert seen == [("failed", False)]

    killed = recorded.start(*backfill)
    wait_until(lambda: ask(warehouse, running) == [(1,)], 60, killed.output)
    assert killed.ends(signal.SIGKILL) == -signal.SIGKILL
    assert ask(warehouse, running) == [(1,)]
    replay.control.heal()
    recorded.run(*backfill)
    assert counts(warehouse)["core.intensity"] == 48
    rows = ask(warehouse, "SELECT status, count(*) FROM ops.etl_runs GROUP BY 1 ORDER BY 1")
    assert rows == [("crashed", 1), ("failed", 2), ("success", 4)]


def test_a_command_whose_api_hangs_says_what_it_is_doing(
    recorded: GridCommand, replay: ReplayServer
) -> None:
    replay.control.fault({"name": "hang", "times": None, "path": None})
    tick = recorded.start("tick", GRID_API_TIMEOUT_S="15")
    assert "s so far" in tick.says("raw.")
    assert tick.ends(signal.SIGINT) == 130


@pytest.fixture
def own_role(
    server: SecretStr, template: str, new_database: NewDatabase
) -> Iterator[tuple[SecretStr, str]]:
    """The URL of an empty database whose owner has an awkward password, and part of that."""
    token = secrets.token_hex(8)
    role, password = f"grid_test_{secrets.token_hex(6)}", f"p@ss /:%{token}"
    database = new_database(None)
    name = urlsplit(database.get_secret_value()).path.strip("/")
    with connect(server) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}").format(
                sql.Identifier(role), sql.Literal(password)
            )
        )
        # the roles are there since the template was made, by somebody else
        connection.execute(sql.SQL("GRANT grid_owner TO {}").format(sql.Identifier(role)))
        connection.execute(
            sql.SQL("ALTER DATABASE {} OWNER TO {}").format(
                sql.Identifier(name), sql.Identifier(role)
            )
        )
    parts = urlsplit(database.get_secret_value())
    netloc = f"{role}:{quote(password, safe='')}@{parts.netloc.rpartition('@')[2]}"
    yield SecretStr(urlunsplit(parts._replace(netloc=netloc))), token
    with connect(database) as connection:
        connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
        connection.execute(
            sql.SQL("ALTER DATABASE {} OWNER TO CURRENT_USER").format(sql.Identifier(name))
        )
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_the_password_of_the_database_is_nowhere_to_be_seen(
    grid: GridCommand, own_role: tuple[SecretStr, str], replay: ReplayServer
) -> None:
    url, token = own_role
    grid.environment |= {
        "GRID_DATABASE_URL": url.get_secret_value(),
        "GRID_API_URL": replay.url,
        "GRID_API_RETRY_BUDGET_S": "0",
        "GRID_API_TIMEOUT_S": "3",
        "GRID_HISTORY_START": str(days_ago(1)),
    }
    said = grid.run("migrate").text
    replay.control.fault({"name": "hang", "times": None, "path": None})
    tick = grid.installed.start("tick")
    running = "SELECT count(*) FROM ops.etl_runs WHERE status = 'running'"
    wait_until(lambda: ask(url, running) == [(1,)], 60, tick.output)
    assert holders(token) == []
    assert tick.ends() == 1
    said += tick.output() + grid.run("status", code=1).text + grid.run("quarantine", "list").text
    assert location(url) in said
    assert token not in said
    assert files_with(grid.folder, token) == []
    assert tables_with(url, token) == []
    assert "ops.etl_runs" in tables_with(url, "cannot be reached")
    assert "dagster.event_logs" in tables_with(url, "cannot be reached")


def test_a_rejected_record_is_listed_and_loaded_once_it_passes(
    recorded: GridCommand, warehouse: SecretStr, replay: ReplayServer
) -> None:
    assert "Nothing is in quarantine." in recorded.run("quarantine", "list").out
    replay.control.fault({"name": "string_value", "times": 1, "path": "/intensity"})
    day = str(days_ago(3))
    recorded.run("backfill", "--from", day, "--to", day)
    assert counts(warehouse)["core.intensity"] == 47
    listed = recorded.run("quarantine", "list").out
    assert listed.endswith("1 open.\n")
    assert "raw.intensity  seen 1x  /intensity/" in listed
    assert "quarantine    1 open (`grid quarantine list`)" in recorded.run("status", code=1).out
    assert "0 accepted, 1 still rejected" in recorded.run("quarantine", "replay").out

    with connect(warehouse) as connection:
        [(payload,)] = connection.execute("SELECT payload FROM ops.quarantine").fetchall()
        record = json.loads(payload)
        values = record["intensity"]
        values |= {name: int(values[name]) for name in ("forecast", "actual")}
        connection.execute("UPDATE ops.quarantine SET payload = %s", [json.dumps(record)])
    replayed = recorded.run("quarantine", "replay").out
    assert "1 accepted, 0 still rejected" in replayed
    assert "core.intensity" in replayed
    assert counts(warehouse)["core.intensity"] == 48
    assert "Nothing is in quarantine." in recorded.run("quarantine", "list").out
