"""Writers take turns, whatever readers, sleepers and settings of the database do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import psutil
import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from grid_assets.warehouse import connection as module
from grid_assets.warehouse.connection import LockBusy, connect, lock_relation, write_transaction
from grid_assets.warehouse.urls import read, to_url
from grid_assets_tests.running import wait_until

Rows = Callable[..., list[tuple[Any, ...]]]

ADD = "INSERT INTO raw.intensity (period_start, captured_at) VALUES (%s, now())"
START = datetime(2026, 1, 1, tzinfo=UTC)

WRITES_AND_STOPS = """
import os, sys
from pydantic import SecretStr
from grid_assets.warehouse import connection as module
module.IDLE_S = float(sys.argv[2])
with module.connect(SecretStr(sys.argv[1])) as connection:
    try:
        with connection.transaction():
            module.lock_relation(connection, "raw.intensity", idle_s=float(sys.argv[2]))
            connection.execute("INSERT INTO raw.intensity (period_start, captured_at) "
                               "VALUES ('2026-02-01Z', now())")
            print("writing", flush=True)
            sys.stdin.readline()
            connection.execute("SELECT 1")
    except Exception as error:
        print(type(error).__name__, str(error).replace("\\n", " "), flush=True)
    else:
        print("written", flush=True)
"""


@pytest.fixture
def writer(warehouse: SecretStr) -> Iterator[Callable[[float], subprocess.Popen[str]]]:
    """Starts a process that writes raw.intensity and waits for a line before it goes on."""
    started: list[subprocess.Popen[str]] = []

    def start(idle_s: float) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITES_AND_STOPS, warehouse.get_secret_value(), str(idle_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_reader_can_hold_no_writer_and_no_migration_up(
    warehouse: SecretStr, server: SecretStr, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by the advisory locks of earlier versions nor by the table of locks."""
    monkeypatch.setattr(module, "LOCK_STEP_S", 1)
    password = "of-the-reader"
    with connect(server) as administrator:
        administrator.execute(f"ALTER ROLE grid_reader PASSWORD '{password}'".encode())
    try:
        login = {"user": "grid_reader", "password": password}
        with connect(to_url(read(warehouse) | login)) as reader, connect(warehouse) as connection:
            for key in ("raw.intensity", "migrate"):
                reader.execute(
                    "SELECT pg_advisory_lock(hashtext('grid_assets'), hashtext(%s))", [key]
                )
                with connection.transaction():
                    lock_relation(connection, key, wait_s=1)
            for command in (
                "SELECT FROM ops.locks FOR UPDATE",
                "LOCK TABLE ops.locks IN ACCESS SHARE MODE",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege), reader.transaction():
                    reader.execute(command.encode())
    finally:
        with connect(server) as administrator:
            administrator.execute("ALTER ROLE grid_reader PASSWORD NULL")


def test_a_writer_that_waits_says_for_whom_and_gives_up_with_a_sentence(
    warehouse: SecretStr, rows: Rows, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(module, "LOCK_STEP_S", 0.1)
    holder = rf"held by grid_assets {os.getpid()}@.* \(user .*, database process \d+, for \d+ s\)"
    with connect(warehouse) as first, write_transaction(first, "raw.intensity"):
        with (
            connect(warehouse) as second,
            pytest.raises(
                LockBusy, match=rf"The lock on raw.intensity is {holder}; .* Nothing was"
            ),
            second.transaction(),
        ):
            lock_relation(second, "raw.intensity", wait_s=0.5)
        assert "Waiting for the lock on raw.intensity, held by grid_assets" in caplog.text
        # another relation is free
        with connect(warehouse) as third, write_transaction(third, "raw.generation"):
            pass


def test_a_lock_with_a_new_name_makes_its_row(warehouse: SecretStr, rows: Rows) -> None:
    with connect(warehouse) as connection, write_transaction(connection, "some.thing"):
        pass
    assert rows("SELECT count(*) FROM ops.locks WHERE name = 'some.thing'") == [(1,)]


def test_a_suspended_writer_loses_its_transaction_and_the_others_go_on(
    writer: Callable[[float], subprocess.Popen[str]], warehouse: SecretStr, rows: Rows
) -> None:
    process = writer(1)
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED, 30)
    with connect(warehouse) as connection, write_transaction(connection, "raw.intensity"):
        connection.execute(ADD, [START])
    process.send_signal(signal.SIGCONT)
    said, _ = process.communicate("go on\n", timeout=60)
    assert "IdleInTransactionSessionTimeout" in said
    assert rows("SELECT period_start FROM raw.intensity") == [(START,)]


def test_a_writer_at_work_is_waited_for(
    writer: Callable[[float], subprocess.Popen[str]], warehouse: SecretStr, rows: Rows
) -> None:
    process = writer(60)
    with ThreadPoolExecutor(1) as pool, connect(warehouse) as connection:

        def add() -> None:
            with write_transaction(connection, "raw.intensity"):
                connection.execute(ADD, [START])

        added = pool.submit(add)
        waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = "
        wait_until(lambda: rows(f"SELECT EXISTS ({waiting}current_database())") == [(True,)], 60)
        said, _ = process.communicate("go on\n", timeout=60)
        added.result(60)
    assert said == "written\n"
    assert rows("SELECT count(*) FROM raw.intensity") == [(2,)]


@pytest.mark.parametrize(
    "setting",
    [
        "default_transaction_isolation = 'repeatable read'",
        "default_transaction_isolation = 'serializable'",
        "statement_timeout = '200ms'",
        "lock_timeout = '50ms'",
        "client_encoding = 'LATIN1'",
        "timezone = 'Europe/London'",
    ],
)
def test_two_writers_of_one_half_hour_add_it_once_whatever_the_database_is_set_to(
    setting: str, warehouse: SecretStr, rows: Rows
) -> None:
    name = read(warehouse)["dbname"]
    with connect(warehouse) as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET ").format(sql.Identifier(name)) + sql.SQL(setting)
        )
    add_if_missing = (
        "INSERT INTO ops.quarantine (captured_at, asset, endpoint, reason, payload, is_body, "
        "run_id, last_seen_at) SELECT now(), 'a', 'e', 'r', '✓ one', false, '1', now() "
        "WHERE NOT EXISTS (SELECT FROM ops.quarantine)"
    )

    def second() -> None:
        with connect(warehouse) as connection, write_transaction(connection, "raw.intensity"):
            connection.execute(add_if_missing.encode())

    waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
    with ThreadPoolExecutor(1) as pool:
        with connect(warehouse) as first, write_transaction(first, "raw.intensity"):
            other = pool.submit(second)
            with psycopg.connect(warehouse.get_secret_value(), autocommit=True) as watcher:
                wait_until(lambda: watcher.execute(waiting.encode(), [name]).fetchall(), 60)
            first.execute("SELECT pg_sleep(0.4)")  # longer than the limits
            first.execute(add_if_missing.encode())
        other.result(60)
    with connect(warehouse) as connection:
        kept = connection.execute("SELECT payload FROM ops.quarantine").fetchall()
    assert kept == [("✓ one",)]


def test_what_is_pinned_for_a_transaction_is_gone_after_it(warehouse: SecretStr) -> None:
    names = (
        *("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"),
        *("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count"),
    )
    query = f"SELECT {', '.join(f'current_setting({name!r})' for name in names)}".encode()
    with connect(warehouse) as connection:
        before = connection.execute(query).fetchone()
        with write_transaction(connection, "raw.intensity"):
            assert connection.execute(query).fetchone() == (
                *("0", "5min", "1min"),
                *("60", "15", "4"),
            )
        assert connection.execute(query).fetchone() == before


def test_parameters_of_the_url_win_over_ours(warehouse: SecretStr) -> None:
    theirs = {"application_name": "theirs", "keepalives_idle": "77", "connect_timeout": "3"}
    with connect(to_url(read(warehouse) | theirs)) as connection:
        used = connection.info.get_parameters()
    assert {name: used[name] for name in theirs} == theirs
    with connect(warehouse) as connection:
        assert connection.info.get_parameters()["keepalives_idle"] == "30"
