"""Databases that are closed, read-only or of another encoding, and logins that are refused."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql
from pydantic import SecretStr

from grid_assets.replay.server import ReplayServer
from grid_assets.warehouse.connection import WarehouseError, connect
from grid_assets.warehouse.migrate import migrate
from grid_assets.warehouse.refusals import login_advice, statement_advice
from grid_assets.warehouse.stamp import Stamp
from grid_assets.warehouse.urls import location, read, to_url, with_database
from grid_assets_tests import live
from grid_assets_tests.reading import ask, one_sentence
from grid_assets_tests.running import GridCommand, free_port

LIVE = Stamp("live")
ROLES = ("grid_owner", "grid_writer", "grid_reader")
PASSWORD = secrets.token_urlsafe(16)

NewDatabase = Callable[[], SecretStr]

grid = live.grid


def run(url: SecretStr, *commands: str) -> None:
    with connect(url) as connection:
        for command in commands:
            connection.execute(command.encode())


def as_user(url: SecretStr, user: str, password: str = PASSWORD) -> SecretStr:
    return to_url(read(url) | {"user": user, "password": password})


@contextmanager
def passwords(server: SecretStr) -> Iterator[None]:
    run(server, *(f"ALTER ROLE {role} PASSWORD '{PASSWORD}'" for role in ROLES))
    try:
        yield
    finally:
        run(server, *(f"ALTER ROLE {role} PASSWORD NULL" for role in ROLES))


@pytest.fixture
def closed(new_database: NewDatabase, server: SecretStr, template: str) -> Iterator[SecretStr]:
    """An empty database that is open to nobody but its owner, and the roles with passwords."""
    assert template  # the roles exist
    url = new_database()
    run(
        url,
        f"REVOKE ALL ON DATABASE {read(url)['dbname']} FROM PUBLIC",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
        "REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC",
    )
    with passwords(server):
        yield url


# Closed to everyone.


def test_the_roles_work_in_a_database_that_is_closed_to_everyone(
    closed: SecretStr, grid: GridCommand, replay: ReplayServer
) -> None:
    grid.environment |= {
        "GRID_API_URL": replay.url,
        "GRID_API_RETRY_BUDGET_S": "0",
        "GRID_HISTORY_START": str(datetime.now(UTC).date() - timedelta(days=1)),
        "GRID_BACKTEST_DAYS": "0",
    }
    grid.run("migrate", GRID_DATABASE_URL=closed.get_secret_value())
    writer = as_user(closed, "grid_writer").get_secret_value()
    day = str(datetime.now(UTC).date() - timedelta(days=1))
    grid.run("backfill", "--from", day, "--to", day, GRID_DATABASE_URL=writer)
    grid.run("migrate", GRID_DATABASE_URL=as_user(closed, "grid_owner").get_secret_value())
    assert ask(as_user(closed, "grid_reader"), "SELECT count(*) FROM reporting.telemetry") == [
        (48,)
    ]
    with connect(as_user(closed, "grid_reader")) as reader:  # has no right that it does not need
        reader.execute("SET default_transaction_read_only = off")
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute("CREATE TEMPORARY TABLE mine ()")


def test_who_may_not_open_the_database_learns_what_its_owner_has_to_run(
    closed: SecretStr,
) -> None:
    migrate(closed, LIVE)
    name = read(closed)["dbname"]
    run(closed, f"REVOKE CONNECT ON DATABASE {name} FROM grid_reader")
    said: list[str] = []
    migrate(as_user(closed, "grid_owner"), LIVE, said.append)
    assert f"run: GRANT CONNECT ON DATABASE {name} TO grid_reader;" in said[-1]
    with pytest.raises(WarehouseError) as refused:
        connect(as_user(closed, "grid_reader"))
    grant = f'GRANT CONNECT, TEMPORARY ON DATABASE "{name}" TO "grid_reader";'
    assert f"The user may not connect to this database. Have its owner run: {grant}" in str(
        refused.value
    )
    run(closed, grant)
    connect(as_user(closed, "grid_reader")).close()


# Refused logins.


def test_a_refused_login_is_advised_on_its_cause(server: SecretStr, warehouse: SecretStr) -> None:
    """Each cause as a real server reports it."""
    given = read(server)
    role = f"grid_test_{secrets.token_hex(6)}"
    run(server, f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}' CONNECTION LIMIT 0")
    unusable = f"grid_test_{secrets.token_hex(6)}"
    run(server, f"CREATE ROLE {unusable} PASSWORD '{PASSWORD}'")
    cases = {
        "Create the database, or correct its name": {"dbname": "grid_test_nowhere"},
        "Start the server, or correct its address": {"port": str(free_port())},
        "Correct the host in": {"host": "no-such-host.invalid"},
        "All connections of the server are taken": {"user": role, "password": PASSWORD},
        "The server does not let this user in": {"user": unusable, "password": PASSWORD},
        "Correct sslmode": {"sslmode": "require"},
    }
    with psycopg.connect(server.get_secret_value(), autocommit=True) as connection:
        uses_passwords = connection.pgconn.used_password
    if uses_passwords:  # a server in CI may trust everybody
        cases["Correct the user or the password"] = {"password": "hidden-word"}
    try:
        for advice, change in cases.items():
            with pytest.raises(WarehouseError, match=advice) as refused:
                connect(to_url(given | change))
            assert "hidden-word" not in str(refused.value)
            assert ("Start the server" in str(refused.value)) == advice.startswith("Start")
    finally:
        run(server, f"DROP ROLE {role}", f"DROP ROLE {unusable}")


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ('FATAL: no pg_hba.conf entry for host "10.0.0.1", no encryption', "wants encryption"),
        ('FATAL: no pg_hba.conf entry for host "10.0.0.1", SSL encryption', "does not let this"),
        ("FATAL:  the database system is starting up", "Wait a moment"),
        ("FATAL:  unsupported startup parameter: search_path", "A pooler in between"),
        ("FATAL: Max client connections reached", "All connections"),
        ("FATAL:  Passwort-Authentifizierung für Benutzer »u« fehlgeschlagen", "Check the address"),
    ],
)
def test_a_message_that_no_test_server_gives_is_advised_on_too(message: str, advice: str) -> None:
    assert advice in login_advice(message, {"user": "u"})


def test_a_login_that_is_not_right_is_not_told_to_start_the_server(
    grid: GridCommand, new_database: NewDatabase
) -> None:
    url = to_url(read(new_database()) | {"user": "grid_nobody", "password": "hidden-word"})
    failed = one_sentence(grid.run("status", code=1, GRID_DATABASE_URL=url.get_secret_value()).text)
    assert f"The warehouse at {location(url)} cannot be used" in failed
    assert "Correct the user" in failed
    assert "Start the server" not in failed
    assert "hidden-word" not in failed


# Other encodings.


@pytest.fixture
def encoded(server: SecretStr) -> Iterator[Callable[[str], SecretStr]]:
    made: list[str] = []

    def make(encoding: str) -> SecretStr:
        name = f"grid_test_{secrets.token_hex(6)}"
        run(
            server,
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' "
            "LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc",
        )
        made.append(name)
        return with_database(server, name)

    yield make
    for name in made:
        run(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "EUC_JP"])
def test_a_database_that_cannot_hold_every_text_is_refused_and_left_alone(
    encoded: Callable[[str], SecretStr], encoding: str
) -> None:
    url = encoded(encoding)
    with pytest.raises(WarehouseError, match=f"has the encoding {encoding}, which cannot") as no:
        migrate(url, LIVE)
    assert "TEMPLATE template0 ENCODING 'UTF8'" in str(no.value)
    assert ask(url, "SELECT to_regnamespace('ops')") == [(None,)]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_texts_are_read_and_written_whatever_the_encoding_of_client_and_database(
    encoded: Callable[[str], SecretStr], encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", encoding)
    with connect(encoded(encoding)) as connection:
        assert connection.execute("SELECT %s::text", ["é"]).fetchone() == ("é",)
        # psycopg gives bytes for these where the client's encoding is SQL_ASCII
        query = "SELECT table_schema FROM information_schema.tables WHERE table_name = %s"
        assert connection.execute(query, ["pg_class"]).fetchone() == ("pg_catalog",)


# Read-only.


def test_the_status_says_that_the_database_is_read_only(
    grid: GridCommand, warehouse: SecretStr, replay: ReplayServer
) -> None:
    grid.environment["GRID_API_URL"] = replay.url
    name = read(warehouse)["dbname"]
    with connect(warehouse) as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(
                sql.Identifier(name)
            )
        )
    grid.environment["GRID_DATABASE_URL"] = warehouse.get_secret_value()
    said = grid.run("status", code=1).text
    assert "NOT HEALTHY   Nothing can be loaded. The database is read-only" in said
    assert "Traceback" not in said
    failed = one_sentence(grid.run("tick", code=1).text)
    assert "The database is read-only." in failed


# Refused statements.


def raised(url: SecretStr, command: str) -> Exception:
    with connect(url) as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute(command.encode())
    return refused.value


def test_a_refused_statement_is_advised_on_by_its_code(warehouse: SecretStr, rows: Any) -> None:
    if rows("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(True,)]:
        # /dev/full is a disk that is always full
        full = raised(warehouse, "COPY (SELECT generate_series(1, 100000)) TO '/dev/full'")
        assert "The disk of the database is full." in statement_advice(full)
        wrapped = RuntimeError("what Dagster raises")
        wrapped.__cause__ = full
        assert statement_advice(wrapped) == statement_advice(full)
    read_only = raised(warehouse, "SET transaction_read_only = on; CREATE TABLE a ()")
    assert "read-only" in statement_advice(read_only)
    assert statement_advice(raised(warehouse, "SELECT 1 / 0")).startswith("Check the server")


def test_an_embedded_server_names_its_disk_when_that_is_nearly_full(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    from grid_assets.cli import __main__ as command

    monkeypatch.setenv("GRID_HOME", str(tmp_path))
    assert command._disk_note() == ""
    monkeypatch.setattr(command, "FULL_DISK_BYTES", 10**18)
    assert f"The disk of {tmp_path}, which holds the database, has" in command._disk_note()
    monkeypatch.setenv("GRID_DATABASE_URL", "postgresql://host/elsewhere")
    assert command._disk_note() == ""


def test_a_folder_that_cannot_be_written_is_named_though_the_database_is_elsewhere(
    grid: GridCommand, warehouse: SecretStr, replay: ReplayServer
) -> None:
    grid.environment |= {
        "GRID_DATABASE_URL": warehouse.get_secret_value(),
        "GRID_API_URL": replay.url,
    }
    for command in ("tick", "up"):
        # nobody, not even root, can make a file there
        failed = one_sentence(grid.run(command, code=1, GRID_HOME="/sys").text)
        assert "/sys/" in failed
        assert "cannot be written" in failed
        assert "Change GRID_HOME" in failed
    assert "Traceback" not in grid.run("status", code=1, GRID_HOME="/sys").text
