"""The PostgreSQL of a world: its own server, a database for each schedule, and ways to fail."""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from pydantic import SecretStr

from bench.chaos.clocks import Clocks
from grid_assets.runtime import postgres, postgres_programs
from grid_assets.warehouse.connection import Connection, connect

TEMPLATE: Final = "chaos_template"


class Server:
    """A running server that lives by a false clock; `database` is that of the schedule."""

    def __init__(self, folder: Path, clocks: Clocks) -> None:
        self._clocks = clocks
        self._embedded = postgres.EmbeddedPostgres(folder)
        self.database = "postgres"
        self._url = self._start()
        self._spare_time()

    def _start(self) -> SecretStr:
        real, variables = postgres_programs.run, self._clocks.variables("database")

        def run(user: postgres_programs.User, *program: str, **options: Any) -> Any:
            named = [f"{name}={value}" for name, value in variables.items()]
            return real(user, "/usr/bin/env", *named, *program, **options)

        for module in (postgres_programs, postgres):
            vars(module)["run"] = run  # its programs do not inherit variables
        try:
            return SecretStr(self._embedded.start())
        finally:
            for module in (postgres_programs, postgres):
                vars(module)["run"] = real

    def _spare_time(self) -> None:
        """Let the server lose data in a power cut, which no schedule has, and log in quickly."""
        with self.connect("postgres") as connection:
            for name in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
                connection.execute(
                    sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(name))
                )
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("SET scram_iterations = 1")
            password = urlsplit(self._url.get_secret_value()).password
            connection.execute(sql.SQL("ALTER ROLE CURRENT_USER PASSWORD {}").format(password))

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", int(urlsplit(self._url.get_secret_value()).port or 0)

    def url(self, database: str | None = None, port: int | None = None) -> SecretStr:
        """The address of a database, straight to the server unless through the proxy at `port`."""
        parts = urlsplit(self._url.get_secret_value())
        name = f"/{database or self.database}"
        place = f"{parts.username}:{parts.password}@127.0.0.1:{port or parts.port}"
        return SecretStr(urlunsplit(parts._replace(netloc=place, path=name)))

    def connect(self, database: str | None = None) -> Connection:
        return connect(self.url(database))

    def restart(self) -> None:
        """As after a crash: every session ends at once, and the server recovers."""
        lines = (self._embedded.home / "data" / "postmaster.pid").read_text().splitlines()
        with suppress(ProcessLookupError):
            os.kill(int(lines[0]), signal.SIGQUIT)
            for _ in range(500):
                os.kill(int(lines[0]), 0)
                time.sleep(0.02)
        self._url = self._start()

    def remove(self) -> None:
        self._embedded.stop()
        shutil.rmtree(self._embedded.home, ignore_errors=True)

    def make_template(self) -> None:
        """An empty database; `close_template` makes it what `copy_template` copies."""
        with self.connect("postgres") as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        self.database = TEMPLATE

    def close_template(self) -> None:
        with self.connect("postgres") as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(
                    sql.Identifier(TEMPLATE)
                )
            )

    def copy_template(self, name: str) -> None:
        """A new database for a schedule; the one before is dropped."""
        with self.connect("postgres") as connection:
            if self.database != TEMPLATE:
                connection.execute(
                    sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(self.database))
                )
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                    sql.Identifier(name), sql.Identifier(TEMPLATE)
                )
            )
        self.database = name

    def end_sessions(self) -> None:
        """As an operator or a fail-over would: end every session of the database."""
        with suppress(psycopg.Error), self.connect("postgres") as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [self.database],
            )

    def await_end_of_sessions(self, within_s: float) -> None:
        """Wait until no session of the database is left, or for so long."""
        deadline = time.monotonic() + within_s
        with self.connect("postgres") as connection:
            while time.monotonic() < deadline:
                left = connection.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [self.database]
                ).fetchone()
                if left == (0,):
                    return
                time.sleep(0.05)
