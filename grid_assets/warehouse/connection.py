"""Connections to the PostgreSQL warehouse, and the helpers that all its readers and writers share.

No connection relies on session state (settings, prepared statements, session locks), so that a
pooler in transaction mode can sit in between.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql
from pydantic import SecretStr

from grid_assets.warehouse.urls import location

# libpq sends both when a session starts, which poolers support; a SET would not last there. psycopg
# reads only ISO dates. Times are returned in the session's zone, and Python's arithmetic within a
# zone follows its clock: with London's it would be an hour off across a clock change.
os.environ.update(PGDATESTYLE="ISO", PGTZ="UTC")

KEEPALIVES: Final[dict[str, Any]] = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""A run's connection is idle while the API is retried or a model is downloaded. If a router
drops it, that is noticed within a minute, not after the system's two hours."""

CONNECT_TIMEOUT_S: Final = 10
"""Long enough for a server across the world, short enough to report soon that it is down."""

MIN_SERVER_VERSION: Final = 150000

Connection = psycopg.Connection[tuple[Any, ...]]


class WarehouseError(Exception):
    """The warehouse cannot be used; the message has the cause and the setting, never a secret."""


def connect(url: SecretStr) -> Connection:
    """A connection in autocommit mode; use `transaction()` for more than one statement.

    Raises `WarehouseError` if the server cannot be reached, refuses, or is older than version 15.
    """
    try:
        connection = psycopg.connect(
            url.get_secret_value(),
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name="grid_assets",
            **KEEPALIVES,
        )
    except psycopg.OperationalError as error:
        reason = " ".join(str(error).split())
        raise WarehouseError(
            f"The warehouse at {location(url)} cannot be used: {reason}. "
            "Start the server, or unset GRID_DATABASE_URL to use the embedded PostgreSQL."
        ) from None
    if connection.info.server_version < MIN_SERVER_VERSION:
        version = connection.info.server_version // 10000
        connection.close()
        raise WarehouseError(
            f"The warehouse at {location(url)} runs PostgreSQL {version}; 15 or later is needed. "
            "Point GRID_DATABASE_URL at a newer server."
        )
    return connection


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


def lock_relation(connection: Connection, relation: str) -> None:
    """Wait for other writers of `relation`, then make them wait until this transaction ends."""
    connection.execute(
        "SELECT pg_advisory_xact_lock(hashtext('grid_assets'), hashtext(%s))", [relation]
    )


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
