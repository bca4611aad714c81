"""Connections to the PostgreSQL warehouse, and the helpers that all its readers and writers share.

No connection relies on session state (settings, prepared statements, session locks), so that a
pooler in transaction mode can sit in between. What a server or a database may set differently is
pinned: the encoding and the time zone when a session starts, the isolation level at the start of
each transaction, time limits inside those that write.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql
from pydantic import SecretStr

from grid_assets.warehouse.refusals import login_advice
from grid_assets.warehouse.statements import statement
from grid_assets.warehouse.urls import location, read

# libpq sends both when a session starts, which poolers support; a SET would not last there. psycopg
# reads only ISO dates. Times are returned in the session's zone, and Python's arithmetic within a
# zone follows its clock: with London's it would be an hour off across a clock change.
os.environ.update(PGDATESTYLE="ISO", PGTZ="UTC")

DEFAULTS: Final[dict[str, Any]] = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "connect_timeout": 10,
}
"""Parameters of libpq, unless the URL has its own. A run's connection is idle while the API is
retried or a model is downloaded. If a router drops it, that is noticed within a minute, not after
the system's two hours. A connection to a server across the world takes seconds, not ten."""

MIN_SERVER_VERSION: Final = 150000

LOCK_WAIT_S: Final = 300
"""A writer holds a lock for seconds. This also outlasts `IDLE_S`, which frees a suspended one's."""

LOCK_STEP_S: Final = 10
"""A writer that waits for a lock says so this often."""

IDLE_S: Final = 60
"""A transaction that writes does nothing for milliseconds between its statements. One that does
nothing for this long belongs to a suspended process, such as that of a sleeping laptop."""

_log = logging.getLogger(__name__)

Connection = psycopg.Connection[tuple[Any, ...]]


class WarehouseError(Exception):
    """The warehouse cannot be used; the message has the cause and the setting, never a secret."""


class LockBusy(WarehouseError):
    """Another writer did not give its lock free in time; nothing was written."""


def connect(url: SecretStr) -> Connection:
    """A connection in autocommit mode; use `transaction()` for more than one statement.

    Raises `WarehouseError` if the server cannot be reached, refuses, or is older than version 15.
    """
    parts = read(url)
    ours = {"application_name": f"grid_assets {os.getpid()}@{socket.gethostname()}"[:63]}
    try:
        connection = psycopg.connect(
            autocommit=True,
            prepare_threshold=None,
            **{**DEFAULTS, **ours, **parts, "client_encoding": "UTF8"},
        )
    except psycopg.OperationalError as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise WarehouseError(
            f"The warehouse at {location(url)} cannot be used: {reason}. "
            f"{login_advice(reason, parts)}"
        ) from None
    # A database may have another default. With it, a writer that waited for another one's lock
    # would not see what the other one wrote, and would write it again.
    connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    if connection.info.server_version < MIN_SERVER_VERSION:
        version = connection.info.server_version // 10000
        connection.close()
        raise WarehouseError(
            f"The warehouse at {location(url)} runs PostgreSQL {version}; 15 or later is needed. "
            "Point GRID_DATABASE_URL at a newer server."
        )
    return connection


def read_only_reason(connection: Connection) -> str | None:
    """Why nothing can be written to the database, None if it can."""
    row = connection.execute(
        "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')"
    ).fetchone()
    assert row is not None
    if row[0]:
        return "The server is a standby. Point GRID_DATABASE_URL at the primary."
    if row[1] == "on":
        return (
            "The database is read-only for this user (default_transaction_read_only is on). Some "
            "hosts set that when the disk is full: free space, then reset it for the database or "
            "the user."
        )
    return None


def encoding_fault(connection: Connection, url: SecretStr) -> str | None:
    """Why the database cannot hold every text, None if it can."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding == "UTF8":
        return None
    return (
        f"The database at {location(url)} has the encoding {encoding}, which cannot hold every "
        "text that the API may send. Create one with: CREATE DATABASE … TEMPLATE template0 "
        "ENCODING 'UTF8'; and name it in GRID_DATABASE_URL."
    )


def is_database_error(error: Exception) -> bool:
    """Whether our own or Dagster's database connection failed."""
    from sqlalchemy.exc import SQLAlchemyError  # imported late: only errors need it

    known = isinstance(error, WarehouseError | psycopg.Error | SQLAlchemyError)
    return known or type(error).__name__ == "DagsterPostgresException"


def storable(text: str) -> str:
    """The text as PostgreSQL can store it: without NUL and lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


@contextmanager
def write_transaction(connection: Connection, relation: str) -> Iterator[None]:
    """A transaction that is the only writer of `relation` until it ends.

    Two runs that load the same half-hours take turns, and the second sees the rows of the first.
    """
    with connection.transaction():
        lock_relation(connection, relation)
        yield


def lock_relation(
    connection: Connection,
    relation: str,
    *,
    wait_s: float = LOCK_WAIT_S,
    idle_s: float = IDLE_S,
) -> None:
    """Wait for other writers of `relation`, then make them wait until this transaction ends.

    The lock is a row of `ops.locks`. Raises `LockBusy`, which names the holder, after `wait_s`. The
    server ends the transaction if it does nothing for `idle_s`.
    """
    pins = {"lock_wait": f"{wait_s * 1000:.0f}ms", "idle": f"{idle_s * 1000:.0f}ms"}
    connection.execute(statement("ops/pin_transaction"), pins)
    free = "SELECT FROM ops.locks WHERE name = %s FOR UPDATE SKIP LOCKED"
    if connection.execute(free, [relation]).fetchone() is not None:
        return
    started = time.monotonic()
    while not _wait_for_lock(connection, relation, min(LOCK_STEP_S, wait_s)):
        waited_s = time.monotonic() - started
        pid, holder = _holder_of(connection, relation)
        if waited_s >= wait_s:
            raise LockBusy(
                f"The lock on {relation} is held by {holder}; it was not free within "
                f"{waited_s:.0f} s. Nothing was written. If that process hangs, end it (in SQL: "
                f"SELECT pg_terminate_backend({pid});), then try again."
            )
        _log.warning("Waiting for the lock on %s, held by %s", relation, holder)
    connection.execute(statement("ops/pin_transaction"), pins)


def _wait_for_lock(connection: Connection, relation: str, wait_s: float) -> bool:
    """Whether the lock was free within `wait_s`; the first time, this adds its row."""
    try:
        with connection.transaction():
            connection.execute(
                "SELECT set_config('lock_timeout', %s, true)", [f"{wait_s * 1000:.0f}ms"]
            )
            connection.execute(
                "INSERT INTO ops.locks (name) VALUES (%s) ON CONFLICT DO NOTHING", [relation]
            )
            connection.execute("SELECT FROM ops.locks WHERE name = %s FOR UPDATE", [relation])
            return True
    except psycopg.errors.LockNotAvailable:
        return False


def _holder_of(connection: Connection, relation: str) -> tuple[str, str]:
    """The database process that holds a lock, and who that is; unknown if it has just ended."""
    row = connection.execute(statement("ops/find_lock_holder"), {"name": relation}).fetchone()
    if row is None:
        return "…", "another process"
    name, pid, user, seconds = row
    since = "" if seconds is None else f", for {seconds} s"
    return str(pid), f"{name or 'an unnamed program'} (user {user}, database process {pid}{since})"


def copy_rows(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> int:
    """Copy `rows` into a table; returns their number."""
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    count = 0
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count
