"""Applies the files of `sql/migrations` with yoyo, which keeps its ledger in `ops`.

yoyo relies on a session (its search path) and marks a migration as applied in a second transaction.
Here neither is so: a pooler in transaction mode can sit in between, and a process that is killed
leaves a migration either applied and marked or neither.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

import psycopg
from pydantic import SecretStr
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.migrations import default_migration_table

from grid_assets.warehouse.connection import Connection, WarehouseError, connect
from grid_assets.warehouse.statements import sql_dir

TABLE_WAIT: Final = "30s"
"""How long a migration waits for a table. Meanwhile, others that come for the table wait too."""


def apply_migrations(url: SecretStr, wanted: Callable[[str], bool]) -> list[str]:
    """Apply what is missing, of the names that are wanted, and return them.

    The caller keeps other migrations away.
    """
    logging.getLogger("yoyo").setLevel(logging.WARNING)  # it would log each statement
    backend = _Backend(url, default_migration_table)
    try:
        backend.init_database()
        # The caller has a lock, so a lock row of yoyo's was left by a process that was killed.
        backend.break_lock()
        migrations = read_migrations(str(sql_dir() / "migrations"))
        pending = backend.to_apply(migrations).filter(lambda migration: wanted(migration.id))
        names = [migration.id for migration in pending]
        backend.apply_migrations(pending)
        return names
    except psycopg.errors.LockNotAvailable as error:
        raise WarehouseError(
            "The tables could not be changed: a load or a query has been using them for over "
            f"30 seconds. Migrate again when it has finished. ({error.diag.message_primary})"
        ) from None
    finally:
        backend.connection.close()


class _Backend(PostgresqlPsycopgBackend):
    """yoyo on our own connection, with its tables named in full."""

    def connect(self, dburi: SecretStr) -> Connection:
        return connect(dburi)

    def init_connection(self, connection: Connection) -> None:
        """Set nothing in the session."""

    def init_database(self) -> None:
        if self.lock_table not in self.list_tables():
            self.create_lock_table()

    def quote_identifier(self, s: str) -> str:
        quoted: str = super().quote_identifier(s)
        return f'"ops".{quoted}' if s.startswith(("_yoyo_", "yoyo_")) else quoted

    def list_tables(self, **kwargs: Any) -> list[str]:
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'ops'"
        return [name for (name,) in self.execute(query).fetchall()]

    def begin(self) -> None:
        super().begin()
        self.execute(f"SET LOCAL lock_timeout = '{TABLE_WAIT}'")

    def rollback(self) -> None:
        if self.connection.closed:  # what closed it is the error to report
            self._in_transaction = False
        else:
            super().rollback()

    def apply_one(self, migration: Any, force: bool = False, mark: bool = True) -> None:
        migration.load()
        if not migration.use_transactions:
            super().apply_one(migration, force, mark)
            return
        self.ensure_internal_schema_updated()
        with self.transaction():
            migration.process_steps(self, "apply", force=force)
            self.mark_one(migration)
