"""The roles of the server that a warehouse needs: grid_owner, grid_writer, grid_reader.

Belongs here: making them right, or saying what an administrator has to run. Does not belong here:
which roles there are (`sql/roles.sql`), and what each may do (`sql/rights.sql`).
"""

from __future__ import annotations

from typing import Final

import psycopg

from grid_assets.warehouse.connection import Connection, WarehouseError
from grid_assets.warehouse.statements import statement

TRIES: Final = 20
"""Roles belong to the server, so another of its databases may be changing them at this moment. Each
such race is lost to one that got further, so a few would do; many databases may start at once."""


def make_roles(connection: Connection) -> None:
    """Bring the roles to this version; where they are right, nothing is written.

    Raises `WarehouseError` with the SQL for an administrator where the user may not.
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
                "The user of GRID_DATABASE_URL may not make the roles of the warehouse. Let an "
                f"administrator of the server run this, and migrate again: {'; '.join(needed)};"
            ) from None
        except (
            psycopg.errors.DuplicateObject,
            psycopg.errors.UniqueViolation,
            psycopg.errors.InternalError_,  # tuple concurrently updated
        ):
            if not tries_left:
                raise
