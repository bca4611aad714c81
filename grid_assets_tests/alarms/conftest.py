"""A live warehouse in which attempts fail as a test says, and servers that take what is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import sql
from pydantic import SecretStr

from grid_assets.alarms.looking import Due, look, send_due
from grid_assets.alerts.sending import Fault
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import Connection, connect
from grid_assets_tests import http_stub, live, shared_warehouse
from grid_assets_tests.alarms.healthchecks import Healthchecks
from grid_assets_tests.alerts import conftest as alerts

one_warehouse, shared = shared_warehouse.one_warehouse, shared_warehouse.warehouse
service = alerts.service
grid, api = live.grid, live.api


@pytest.fixture
def warehouse(shared: SecretStr) -> SecretStr:
    """The module's warehouse, stamped live a moment ago, with nothing wrong and nothing pinged."""
    with connect(shared) as connection:
        connection.execute(live.STAMP)
        connection.execute("DELETE FROM ops.wakeups")
        connection.execute(
            "UPDATE ops.heartbeat SET cycle_at = NULL, is_healthy = NULL, tried_at = NULL, "
            "told_at = NULL, error_type = NULL, error_message = NULL"
        )
    return shared


@pytest.fixture
def healthchecks() -> Iterator[Healthchecks]:
    with http_stub.run(Healthchecks()) as running:
        yield running
        assert running.strange == []


@dataclass
class Operation:
    """A warehouse and its settings, as the daemon and commands see them."""

    url: SecretStr
    connection: Connection
    settings: Settings

    def attempt(
        self,
        status: str = "success",
        asset: str = "raw.intensity",
        error: str = "ApiUnavailable",
        minutes_ago: float = 1,
        trigger: str = "schedule",
    ) -> None:
        """An attempt that has ended."""
        at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        live.attempt(self.connection, at, status, asset, error, trigger)

    def look(self, **options: Any) -> Due:
        return look(self.connection, self.settings, **options)

    def cycle(self, **options: Any) -> list[Fault]:
        """Look and send, as a command does at its end."""
        due = self.look(settle=timedelta(0), **options)
        return send_due(self.url, self.settings, due) if due else []

    def later(self, minutes: float) -> None:
        """Move all that is on record into the past."""
        by = timedelta(minutes=minutes)
        for table, columns in {
            "alarms": ("began_at", "ended_at", "told_at", "recovery_told_at", "closed_at"),
            "alarm_messages": ("written_at", "last_attempt_at", "closed_at"),
        }.items():
            for column in columns:
                self.connection.execute(
                    sql.SQL("UPDATE ops.{} SET {} = {} - %s").format(
                        *map(sql.Identifier, (table, column, column))
                    ),
                    [by],
                )

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode()).fetchall()


@pytest.fixture
def operation(
    warehouse: SecretStr, service: alerts.Service, healthchecks: Healthchecks
) -> Iterator[Operation]:
    """Both kinds of addresses are set."""
    settings = Settings(
        alarm_urls=service.address(), heartbeat_url=healthchecks.address, database_url=warehouse
    )
    with connect(warehouse) as connection:
        yield Operation(warehouse, connection, settings)
