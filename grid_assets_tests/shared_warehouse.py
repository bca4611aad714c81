"""One warehouse for a whole test module, emptied before each test: quicker than a new one for each.

A module opts in with `one_warehouse, warehouse = …`, provided that it neither changes the schema
nor writes from a process that outlives the test.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from grid_assets.warehouse.connection import Connection, connect


@contextmanager
def copied(server: SecretStr, template: str) -> Iterator[SecretStr]:
    """The URL of a copy of a database, which is dropped at the end."""
    name = f"grid_test_{secrets.token_hex(6)}"
    with connect(server) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    parts = urlsplit(server.get_secret_value())
    yield SecretStr(urlunsplit(parts._replace(path=f"/{name}")))
    with connect(server) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def one_warehouse(server: SecretStr, template: str) -> Iterator[SecretStr]:
    """The URL of a migrated warehouse that the tests of a module share."""
    with copied(server, template) as url:
        yield url


@pytest.fixture
def warehouse(one_warehouse: SecretStr) -> SecretStr:
    """The shared warehouse, empty but for its stamp, its ledger and the rows that ship with it."""
    with psycopg.connect(one_warehouse.get_secret_value(), autocommit=True) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables "
            "WHERE schemaname IN ('raw', 'core', 'forecast') "
            "AND (schemaname, tablename) NOT IN (('core', 'regions'), ('core', 'outward_codes')) "
            "OR (schemaname = 'ops' AND tablename IN ('etl_runs', 'quarantine', 'alerts', "
            "'alert_judgements', 'alert_deliveries', 'alarms', 'alarm_messages'))"
        ).fetchall()
        with connection.transaction():
            for table in tables:
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(*table)))
    return one_warehouse


@pytest.fixture
def connection(one_warehouse: SecretStr) -> Iterator[Connection]:
    """A transaction that is never committed."""
    with psycopg.connect(one_warehouse.get_secret_value()) as connection:
        yield connection
        connection.rollback()
