"""Brings a database up to the schema of this version: roles, migrations, stamp, views and rights.

Needs no session: every step is a transaction, so a pooler in transaction mode can sit in between.
The lock of `ops.locks` keeps two migrations apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

import psycopg
from psycopg import sql
from pydantic import SecretStr

from grid_assets.warehouse.connection import (
    Connection,
    WarehouseError,
    connect,
    encoding_fault,
    lock_relation,
)
from grid_assets.warehouse.moving import LAST_STEP, move_rows
from grid_assets.warehouse.outward_codes import load_outward_codes, outward_codes
from grid_assets.warehouse.past_values import compute_past_values
from grid_assets.warehouse.roles import create_roles, open_database
from grid_assets.warehouse.stamp import Stamp, read_stamp, refuse_other_kind
from grid_assets.warehouse.statements import render, sql_dir, statement
from grid_assets.warehouse.urls import location, with_database

WAIT_S: Final = 3600
"""How long a migration waits for another one, which may move years of rows."""

HELD_S: Final = 86_400
"""The lock's own connection is idle while another one works; after a day, that is suspended."""

_USE_THE_OWNER: Final = (
    "Run `grid migrate` as the owner of the database or as grid_owner; everything else may run "
    "as grid_writer."
)


@dataclass(frozen=True, slots=True)
class Migrated:
    """The outcome of a migration."""

    applied: list[str]
    views_renewed: bool
    stamp: Stamp


def migrate(url: SecretStr, stamp: Stamp, say: Callable[[str], None] = lambda _: None) -> Migrated:
    """Create or update everything in the database at `url`; repeating it changes nothing.

    Raises `WarehouseError` if the database holds data of another kind or cannot be reached, or if
    somebody else's view depends on one that has to be replaced.
    """
    from grid_assets.warehouse.ledger import apply_migrations  # yoyo takes a quarter of a second

    with connect(url) as connection:
        try:
            if fault := encoding_fault(connection, url):
                raise WarehouseError(fault)
            _check_ownership(connection, url)
            _check_stamp(connection, stamp, url)
            create_roles(connection)
            _make_locks(connection)
            # yoyo has a connection of its own, so this one touches nothing else until it is done.
            with connect(url) as holder, holder.transaction():
                _lock(holder, location(url), say)
                present = _check_stamp(connection, stamp, url)
                say("Applying migrations")
                applied = apply_migrations(url, lambda name: name != LAST_STEP)
                holder.execute(
                    "INSERT INTO ops.warehouse (kind, shift_weeks) VALUES (%s, %s) "
                    "ON CONFLICT DO NOTHING",
                    [stamp.kind, stamp.shift_weeks],
                )
                # Until here the views of an earlier version read its tables, which are complete.
                move_rows(connection, say)
                compute_past_values(connection, say)
                renewed = _renew_views_and_rights(holder)
                open_database(holder, say)
            # The holder's transaction has locked the views, and this changes what they read.
            with connect(url) as holder, holder.transaction():
                _lock(holder, location(url), say)
                applied += apply_migrations(url, lambda name: name == LAST_STEP)
            return Migrated(applied, renewed, present or stamp)
        except psycopg.errors.InsufficientPrivilege as error:
            raise WarehouseError(
                f"The user of GRID_DATABASE_URL may not set up {location(url)}: "
                f"{error.diag.message_primary}. {_USE_THE_OWNER}"
            ) from None
        except psycopg.errors.DependentObjectsStillExist as error:
            raise WarehouseError(
                "Tables that are not used any more could not be dropped: an object of yours "
                "depends on them. Drop it, migrate, and create it again. "
                f"{error.diag.message_detail or ''}"
            ) from None


def _lock(holder: Connection, where: str, say: Callable[[str], None]) -> None:
    """Wait for another migration. A suspended one loses its lock after `HELD_S`."""
    free = "SELECT FROM ops.locks WHERE name = 'migrate' FOR UPDATE SKIP LOCKED"
    taken = "SELECT FROM ops.locks WHERE name = 'migrate'"
    if holder.execute(free).fetchone() is None and holder.execute(taken).fetchone() is not None:
        say(f"Another migration of {where} is running; waiting for it to finish")
    lock_relation(holder, "migrate", wait_s=WAIT_S, idle_s=HELD_S)


def _make_locks(connection: Connection) -> None:
    """Make the table of locks, unless another migration is just doing so."""
    if connection.execute("SELECT to_regclass('ops.locks')").fetchone() == (None,):
        try:
            with connection.transaction():
                connection.execute(statement("locks"))
        except (
            psycopg.errors.DuplicateTable,
            psycopg.errors.DuplicateObject,  # the table's row type
            psycopg.errors.UniqueViolation,
        ):
            pass


def _check_stamp(connection: Connection, stamp: Stamp, url: SecretStr) -> Stamp | None:
    present = read_stamp(connection)
    if present is not None:
        refuse_other_kind(present, stamp, url)
    return present


def is_current(connection: Connection) -> bool:
    """Whether every migration and the views of this version are in place; takes no lock."""
    if connection.execute("SELECT to_regclass('ops._yoyo_migration')").fetchone() == (None,):
        return False
    applied = connection.execute("SELECT migration_id FROM ops._yoyo_migration").fetchall()
    wanted = {path.stem for path in (sql_dir() / "migrations").glob("*.sql")}
    return wanted <= {name for (name,) in applied} and _views_are_current(connection, _view_texts())


def refuse_other_version(connection: Connection, url: SecretStr) -> None:
    """Raise `WarehouseError` if another version of Grid Assets has migrated the warehouse.

    For a process on another machine than the rest: a mistake there must not write.
    """
    if not is_current(connection):
        raise WarehouseError(
            f"{location(url)} was set up by another version of Grid Assets than the one on this "
            "machine, so nothing was done here. Install the same version everywhere, then run "
            "`grid migrate`."
        )


def ensure_database(url: SecretStr, name: str) -> SecretStr:
    """The URL of database `name` on the server of `url`; creates it if it does not exist."""
    with connect(url) as connection:
        known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone()
        if known is None:
            try:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} {}").format(
                        sql.Identifier(name), _template(connection)
                    )
                )
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                pass  # another process has just created it
            except psycopg.errors.InsufficientPrivilege:
                raise WarehouseError(
                    f"The user of GRID_DATABASE_URL may not create the database {name} on "
                    f"{location(url)}. Create it yourself, or unset GRID_DATABASE_URL."
                ) from None
    return with_database(url, name)


def _template(connection: Connection) -> sql.SQL:
    """What a new database needs where the server's own template cannot hold every text."""
    row = connection.execute(
        "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'template1'"
    ).fetchone()
    return sql.SQL(
        "" if row == ("UTF8",) else "TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
    )


def _check_ownership(connection: Connection, url: SecretStr) -> None:
    """Create the first schema, or raise unless this user may act as its owner.

    Not CREATE SCHEMA IF NOT EXISTS: it needs a right that the owner of the schemas may not have.
    """
    query = (
        "SELECT pg_has_role(nspowner, 'USAGE'), pg_get_userbyid(nspowner), current_user "
        "FROM pg_namespace WHERE nspname = 'ops'"
    )
    row = connection.execute(query).fetchone()
    if row is None:
        # another migration may just be creating it
        with suppress(psycopg.errors.DuplicateSchema, psycopg.errors.UniqueViolation):
            connection.execute("CREATE SCHEMA ops")
        row = connection.execute(query).fetchone()
    if row is not None and not row[0]:
        raise WarehouseError(
            f"The user of GRID_DATABASE_URL may not set up {location(url)}: "
            f"it belongs to {row[1]}, and {row[2]} is not a member of that role. {_USE_THE_OWNER}"
        )


def _renew_views_and_rights(connection: Connection) -> bool:
    """Renew both in one transaction, so that no reader finds a view without its rights."""
    try:
        with connection.transaction():
            connection.execute("SET LOCAL lock_timeout = '30s'")
            renewed = _renew_views(connection)
            if renewed:
                load_outward_codes(connection)
                # Too small for autovacuum to look at it; without this, plans expect 510 regions,
                # and a server with JIT compiles each query of them.
                connection.execute("ANALYZE core.regions")
            connection.execute(render("rights").encode())
            return renewed
    except psycopg.errors.LockNotAvailable:
        raise WarehouseError(
            "The reporting views could not be replaced: queries have been reading them for over "
            "30 seconds. Migrate again when they have finished."
        ) from None


def _renew_views(connection: Connection) -> bool:
    """Drop and create the views and functions of `sql/views`, if they changed.

    CREATE OR REPLACE can neither drop nor rename a column. Unchanged views are left alone, so that
    a start neither waits for a dashboard's query nor blocks it.
    """
    texts = _view_texts()
    if _views_are_current(connection, texts):
        return False
    try:
        for kind, dropped in _made(connection):
            connection.execute(
                sql.SQL("DROP {} {}").format(sql.SQL(kind), sql.SQL(", ").join(dropped))
            )
    except psycopg.errors.DependentObjectsStillExist as error:
        raise WarehouseError(
            "The reporting views could not be replaced: an object of yours depends on them. "
            f"Drop it, migrate, and create it again. {error.diag.message_detail or ''}"
        ) from None
    foreign = connection.execute(statement("reporting_objects")).fetchall()
    try:
        for text in texts.values():
            connection.execute(text.encode())
    except (psycopg.errors.DuplicateTable, psycopg.errors.DuplicateFunction) as error:
        raise WarehouseError(
            "The reporting views could not be created: an object of yours has the name of one of "
            f"ours. Rename it, then migrate. {error.diag.message_primary}"
        ) from None
    _record_made(connection, set(foreign))
    connection.execute(
        sql.SQL("COMMENT ON SCHEMA reporting IS {}").format(
            sql.Literal(
                "Views for BI: the only schema that grid_reader may read. "
                f"Made from sql/views {_digest(texts)}."
            )
        )
    )
    return True


def _view_texts() -> dict[str, str]:
    """SQL by file name, in the order in which the views build on each other."""
    names = sorted(path.stem for path in (sql_dir() / "views").glob("*.sql"))
    return {name: render(f"views/{name}") for name in names}


def _digest(texts: dict[str, str]) -> str:
    """A digest of what `_renew_views_and_rights` writes, and of the names of the migrations."""
    migrations = sorted(path.stem for path in (sql_dir() / "migrations").glob("*.sql"))
    parts = [*texts.values(), render("rights"), outward_codes(), *migrations]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _views_are_current(connection: Connection, texts: dict[str, str]) -> bool:
    """Whether the comment of the schema has the digest of these files."""
    comment = connection.execute(
        "SELECT obj_description(to_regnamespace('reporting'), 'pg_namespace')"
    ).fetchone()
    return comment is not None and _digest(texts) in (comment[0] or "")


def _made(
    connection: Connection,
) -> Iterator[tuple[Literal["VIEW", "FUNCTION"], list[sql.Composable]]]:
    """What the last migration made in `reporting`, and nothing that an analyst added there.

    Functions come first, because they may return a view's row.
    """
    recorded = connection.execute(
        "SELECT kind, name FROM ops.reporting_objects WHERE CASE kind "
        "WHEN 'VIEW' THEN to_regclass(name)::oid ELSE to_regprocedure(name)::oid END IS NOT NULL"
    ).fetchall()
    kinds: tuple[Literal["FUNCTION", "VIEW"], ...] = ("FUNCTION", "VIEW")
    for kind in kinds:
        names: list[sql.Composable] = [sql.SQL(name) for of, name in recorded if of == kind]
        if names:
            yield kind, names


def _record_made(connection: Connection, foreign: set[tuple[str, str]]) -> None:
    present = connection.execute(statement("reporting_objects")).fetchall()
    connection.execute("DELETE FROM ops.reporting_objects")
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ops.reporting_objects (kind, name) VALUES (%s, %s)",
            [made for made in present if made not in foreign],
        )
