"""Creates and updates the roles grid_owner, grid_writer and grid_reader of the server.

`sql/roles.sql` says which statements they need, and `sql/rights.sql` what each role may do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import psycopg

from grid_assets.warehouse.connection import Connection, WarehouseError
from grid_assets.warehouse.statements import statement

TRIES: Final = 20
"""Roles belong to the server, so another database may be changing them at the same time. Each lost
race means that another process got further, so a few tries would do for a few databases."""


def create_roles(connection: Connection) -> None:
    """Bring the roles up to this version; writes nothing if they are up to date.

    Raises `WarehouseError` with the SQL for an administrator if the user may not create them.
    """
    for tries_left in reversed(range(TRIES)):
        needed = [text for (text,) in connection.execute(statement("roles")).fetchall()]
        if not needed:
            return
        try:
            with connection.transaction():
                for text in needed:
                    connection.execute(text.encode())
        except psycopg.errors.InsufficientPrivilege:
            raise WarehouseError(
                "The user of GRID_DATABASE_URL may not create the roles of the warehouse. Have an "
                f"administrator of the server run this, then migrate again: {'; '.join(needed)};"
            ) from None
        except (
            psycopg.errors.DuplicateObject,
            psycopg.errors.UniqueViolation,
            psycopg.errors.InternalError_,  # tuple concurrently updated
        ):
            if not tries_left:
                raise


def open_database(connection: Connection, say: Callable[[str], None]) -> None:
    """Let the roles connect and make temporary tables where the database is closed to everyone.

    Says which statements an administrator has to run, if the user may not run them.
    """
    needed = connection.execute(statement("database_rights")).fetchall()
    for (text,) in needed:
        try:
            with connection.transaction():
                connection.execute(text.encode())
        except psycopg.errors.InsufficientPrivilege:
            pass  # without a right to pass on, PostgreSQL may also only warn
    if needed and (missing := connection.execute(statement("database_rights")).fetchall()):
        say(
            "The roles of the warehouse may not connect to this database. If you use them, have "
            f"its owner run: {'; '.join(text for (text,) in missing)};"
        )
