"""Brings a database up to the schema of this version: roles, migrations, stamp, views and rights.

Needs a session (on Supabase port 5432, not the transaction pooler). A session-level lock keeps two
migrations apart. Its holder can tell that any lock row of yoyo was left by a killed process.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from grid_assets.warehouse.connection import Connection, WarehouseError, connect
from grid_assets.warehouse.moving import LAST_STEP, move_rows
from grid_assets.warehouse.roles import create_roles
from grid_assets.warehouse.stamp import Stamp, read_stamp, refuse_other_kind
from grid_assets.warehouse.statements import render, sql_dir
from grid_assets.warehouse.urls import location, session_url

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
    url = session_url(url)
    with connect(url) as connection:
        if connection.execute(_lock("pg_try_advisory_lock")).fetchone() != (True,):
            say(f"Another migration of {location(url)} is running; waiting for it to finish")
            connection.execute(_lock("pg_advisory_lock"))
        try:
            _check_ownership(connection, url)
            present = read_stamp(connection)
            if present is not None:
                refuse_other_kind(present, stamp, url)
            create_roles(connection)
            say("Applying migrations")
            applied = _apply_migrations(url, lambda name: name != LAST_STEP)
            connection.execute(
                "INSERT INTO ops.warehouse (kind, shift_weeks) VALUES (%s, %s) "
                "ON CONFLICT DO NOTHING",
                [stamp.kind, stamp.shift_weeks],
            )
            # Until here the views of an earlier version read its tables, which are complete.
            move_rows(connection, say)
            renewed = _renew_views_and_rights(connection)
            applied += _apply_migrations(url, lambda name: name == LAST_STEP)
            return Migrated(applied, renewed, present or stamp)
        except psycopg.errors.InsufficientPrivilege as error:
            raise WarehouseError(
                f"The user of GRID_DATABASE_URL may not set up {location(url)}: "
                f"{error.diag.message_primary}. {_USE_THE_OWNER}"
            ) from None
        except psycopg.errors.DependentObjectsStillExist as error:
            raise WarehouseError(
                "The tables of an earlier version are moved but could not be dropped: an object "
                "of yours depends on them. Drop it, migrate, and create it again. "
                f"{error.diag.message_detail or ''}"
            ) from None
        finally:
            connection.execute(_lock("pg_advisory_unlock"))


def _lock(function: str) -> sql.Composed:
    return sql.SQL("SELECT {}(hashtext('grid_assets'), hashtext('migrate'))").format(
        sql.Identifier(function)
    )


def is_current(connection: Connection) -> bool:
    """Whether every migration and the views of this version are in place; takes no lock."""
    if connection.execute("SELECT to_regclass('ops._yoyo_migration')").fetchone() == (None,):
        return False
    applied = connection.execute("SELECT migration_id FROM ops._yoyo_migration").fetchall()
    wanted = {path.stem for path in (sql_dir() / "migrations").glob("*.sql")}
    return wanted <= {name for (name,) in applied} and _views_are_current(connection, _view_texts())


def ensure_database(url: SecretStr, name: str) -> SecretStr:
    """The URL of database `name` on the server of `url`; creates it if it does not exist."""
    with connect(url) as connection:
        known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone()
        if known is None:
            try:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                pass  # another process has just created it
            except psycopg.errors.InsufficientPrivilege:
                raise WarehouseError(
                    f"The user of GRID_DATABASE_URL may not create the database {name} on "
                    f"{location(url)}. Create it yourself, or unset GRID_DATABASE_URL."
                ) from None
    # urlunsplit would drop the // of a URL without a host, which means the local socket
    text = re.sub(r"(?<=://)([^/?]*)[^?]*", rf"\1/{name}", url.get_secret_value(), count=1)
    return SecretStr(text)


def _apply_migrations(url: SecretStr, wanted: Callable[[str], bool]) -> list[str]:
    """Apply the migrations of a kind that are missing; returns their names."""
    from yoyo import get_backend, read_migrations

    logging.getLogger("yoyo").setLevel(logging.WARNING)  # it would log each statement
    with _yoyo_backend(url, get_backend) as backend:
        # We hold the advisory lock, so a lock row here was left by a process that was killed.
        backend.break_lock()
        migrations = read_migrations(str(sql_dir() / "migrations"))
        pending = backend.to_apply(migrations).filter(lambda migration: wanted(migration.id))
        names = [migration.id for migration in pending]
        with backend.lock():
            backend.apply_migrations(pending)
        return names


@contextmanager
def _yoyo_backend(url: SecretStr, get_backend: Callable[[str], Any]) -> Iterator[Any]:
    # As parameters, because yoyo reads some forms of URL differently from libpq.
    parameters = conninfo_to_dict(url.get_secret_value(), schema="ops")
    backend = get_backend(f"postgresql+psycopg:///?{urlencode(parameters)}")
    try:
        yield backend
    finally:
        backend.connection.close()


def _check_ownership(connection: Connection, url: SecretStr) -> None:
    """Create the first schema, or raise unless this user may act as its owner.

    Not CREATE SCHEMA IF NOT EXISTS: it needs a right that the owner of the schemas may not have.
    """
    row = connection.execute(
        "SELECT pg_has_role(nspowner, 'USAGE'), pg_get_userbyid(nspowner), current_user "
        "FROM pg_namespace WHERE nspname = 'ops'"
    ).fetchone()
    if row is None:
        connection.execute("CREATE SCHEMA ops")
    elif not row[0]:
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
    names = [name.partition("_")[2] for name in texts]
    try:
        for kind, dropped in _present(connection, names):
            connection.execute(
                sql.SQL("DROP {} {}").format(sql.SQL(kind), sql.SQL(", ").join(dropped))
            )
    except psycopg.errors.DependentObjectsStillExist as error:
        raise WarehouseError(
            "The reporting views could not be replaced: an object of yours depends on them. "
            f"Drop it, migrate, and create it again. {error.diag.message_detail or ''}"
        ) from None
    for text in texts.values():
        connection.execute(text.encode())
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
    """A digest of views, rights and migration names; a change renews the views and the rights."""
    migrations = sorted(path.stem for path in (sql_dir() / "migrations").glob("*.sql"))
    parts = [*texts.values(), render("rights"), *migrations]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _views_are_current(connection: Connection, texts: dict[str, str]) -> bool:
    """Whether the comment of the schema has the digest of these files."""
    comment = connection.execute(
        "SELECT obj_description(to_regnamespace('reporting'), 'pg_namespace')"
    ).fetchone()
    return comment is not None and _digest(texts) in (comment[0] or "")


def _present(
    connection: Connection, names: list[str]
) -> Iterator[tuple[Literal["VIEW", "FUNCTION"], list[sql.Composable]]]:
    """Those of `names` in `reporting`: functions first, because they may return a view's row."""
    functions = connection.execute(
        "SELECT oid::regprocedure::text FROM pg_proc "
        "WHERE pronamespace = 'reporting'::regnamespace AND proname = ANY(%s)",
        [names],
    ).fetchall()
    if functions:
        yield "FUNCTION", [sql.SQL(signature) for (signature,) in functions]
    views = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'reporting'::regnamespace "
        "AND relkind = 'v' AND relname = ANY(%s)",
        [names],
    ).fetchall()
    if views:
        yield "VIEW", [sql.Identifier("reporting", name) for (name,) in views]
