"""What the checks share: the settings, a connection, and the answers that several of them need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final

import psycopg
from psycopg.rows import class_row
from pydantic import SecretStr

from grid_assets.halfhours import Window, floor
from grid_assets.settings import DataKind, Settings
from grid_assets.sources.carbon_intensity.client import CarbonIntensityApi
from grid_assets.sources.carbon_intensity.payloads import parse_intensity
from grid_assets.sources.http.errors import ApiError
from grid_assets.warehouse.connection import Connection, WarehouseError, connect
from grid_assets.warehouse.stamp import read_stamp
from grid_assets.warehouse.statements import statement
from grid_assets.warehouse.urls import SUPABASE, read

LOOK_BACK: Final = timedelta(hours=6)
"""How far back the source is asked for an actual: enough to tell a late source from a silent one,
in an answer of a few kilobytes."""

MEMBERSHIP: Final = "GRANT grid_owner TO "
"""How the statement starts by which `sql/roles.sql` lets this user migrate. The others concern only
the roles themselves."""


class Verdict(StrEnum):
    """How a check ended. Only `MEND` asks an operator to do something."""

    OK = "ok"
    NOTE = "note"
    MEND = "MEND"


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check: what was found and, for `MEND`, what to do about it."""

    verdict: Verdict
    text: str


def ok(text: str) -> Finding:
    return Finding(Verdict.OK, text)


def note(text: str) -> Finding:
    return Finding(Verdict.NOTE, text)


def mend(text: str) -> Finding:
    return Finding(Verdict.MEND, text)


@dataclass(frozen=True, slots=True)
class User:
    """What the login may do in this database; the columns of `sql/health/rights_of_user.sql`."""

    name: str
    database: str
    is_superuser: bool
    may_change_roles: bool
    acts_as: list[str]
    roles_exist: bool
    may_create: bool
    may_stage: bool
    is_set_up: bool
    may_own: bool
    may_load: bool
    may_inspect: bool
    may_report: bool

    def may_migrate(self, missing: list[str]) -> bool:
        """Whether a migration would succeed; `missing` are the statements that roles need."""
        return self.may_own and (self.may_change_roles or not missing)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said: its newest actual of the last hours, and how its clock differs."""

    newest: datetime | None
    clock_ahead: timedelta | None
    fault: str | None = None


@dataclass
class Case:
    """A database to examine. What the database says is asked once, when a check needs it.

    `open_url` gives the connection URL, and starts the embedded server if that is the warehouse.
    `api_url` is None if the demo's API is not running.
    """

    settings: Settings
    open_url: Callable[[], SecretStr]
    api_url: str | None
    utcnow: Callable[[], datetime] = lambda: datetime.now(UTC)
    _connection: Connection | None = field(default=None, init=False)

    @cached_property
    def url(self) -> SecretStr:
        return self.open_url()

    @property
    def connection(self) -> Connection:
        """The one connection of all checks; a new one if the last was lost."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(self.url)
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that can change nothing, and that no slow query keeps open."""
        connection = self.connection
        with connection.transaction(force_rollback=True):
            connection.execute("SET TRANSACTION READ ONLY")
            connection.execute("SET LOCAL statement_timeout = '30s'")
            yield connection

    @cached_property
    def kind(self) -> DataKind | None:
        """The kind of data of the warehouse; None if it is not set up or could not be reached."""
        if self._connection is None:
            return None
        try:
            if not (self.user.is_set_up and self.user.may_inspect):
                return None
            with self.reading() as connection:
                stamp = read_stamp(connection)
        except (WarehouseError, psycopg.Error):  # the check `server` says why
            return None
        return stamp.kind if stamp else None

    @property
    def is_embedded(self) -> bool:
        return self.settings.database_url is None

    @property
    def is_on_supabase(self) -> bool:
        return str(read(self.url).get("host") or "").endswith(SUPABASE)

    @cached_property
    def user(self) -> User:
        with self.reading() as connection, connection.cursor(row_factory=class_row(User)) as cursor:
            user = cursor.execute(statement("health/rights_of_user")).fetchone()
        assert user is not None
        return user

    @cached_property
    def missing_roles(self) -> list[str]:
        """The statements that the roles need, and this user to migrate."""
        with self.reading() as connection:
            return [text for (text,) in connection.execute(statement("roles")).fetchall()]

    @cached_property
    def answer(self) -> Answer | None:
        """The API's answer to one request; None if there is no API to ask."""
        if self.api_url is None:
            return None
        settings = self.settings.model_copy(
            update={"api_url": self.api_url, "api_retry_budget_s": 0}
        )
        end = floor(self.utcnow())
        window = Window(end - LOOK_BACK, end)
        with CarbonIntensityApi.from_settings(settings, utcnow=self.utcnow) as api:
            [(_, answer)] = api.fetch_windows("intensity", window)
        if isinstance(answer, ApiError):
            # without what only concerns a client that would try again
            return Answer(None, None, str(answer).partition(" Gave up after ")[0])
        parsed = parse_intensity(answer.document, window)
        known = [row.period_start for row in parsed.rows if row.actual_gco2_kwh is not None]
        unusable = None if parsed.rows or not parsed.rejected else parsed.rejected[0].reason
        return Answer(
            max(known, default=None),
            answer.clock_ahead,
            unusable and f"The API's answer cannot be used ({unusable}). Check GRID_API_URL.",
        )
