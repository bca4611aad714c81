"""Alerts, forecasts and telemetry in a real database, and a real server that takes messages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import sql
from pydantic import SecretStr

from grid_assets.alerts.judging import Judged, judge_alerts
from grid_assets.halfhours import HALF_HOUR
from grid_assets.series import INTENSITY
from grid_assets.warehouse.connection import Connection, connect, copy_rows
from grid_assets.warehouse.stamp import Stamp
from grid_assets_tests import http_stub, shared_warehouse

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

T = datetime(2026, 3, 28, 12, 12, tzinfo=UTC)
"""A cycle, the day before clocks change in London."""

FIRST = datetime(2026, 3, 28, 12, 30, tzinfo=UTC)
"""The first half-hour that has not begun at T."""

HOUR = timedelta(hours=1)
LIVE = Stamp("live")

KINDS: dict[str, dict[str, Any]] = {
    "below": {"below_gco2_kwh": 80, "duration_minutes": 120, "within_hours": 12},
    "greenest_window": {"duration_minutes": 180, "within_hours": 24, "notice_minutes": 30},
    "no_telemetry": {"silent_minutes": 90},
}
"""The alerts that the issue of this feature names."""


@dataclass
class Alerts:
    """A warehouse with alerts, as a person and as a cycle see it."""

    connection: Connection

    def add(self, kind: str = "below", name: str = "Charge the car", **columns: Any) -> int:
        """Adds an alert as a person does; returns its number."""
        values = {"kind": kind, "name": name, **KINDS.get(kind, KINDS["below"]), **columns}
        insert = sql.SQL("INSERT INTO ops.alerts ({}) VALUES ({}) RETURNING alert_id").format(
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(map(sql.Placeholder, values)),
        )
        [(number,)] = self.connection.execute(insert, values).fetchall()
        return int(number)

    def forecast(
        self,
        values: Sequence[float | None],
        issued_at: datetime = FIRST,
        *,
        model: str = "blend",
    ) -> None:
        """An issue of Great Britain that starts when it is issued; None is a hole."""
        self.connection.execute(
            "INSERT INTO forecast.models (model, revision, source) VALUES (%s, 'r1', 'here') "
            "ON CONFLICT DO NOTHING",
            [model],
        )
        self.connection.execute(
            "INSERT INTO forecast.issues (model, issued_at, created_at, revision, "
            "context_missing, context_assumed, known_by) "
            "VALUES (%s, %s, %s, 'r1', 0, 0, 'capture')",
            [model, issued_at, issued_at],
        )
        copy_rows(
            self.connection,
            "forecast.predictions",
            ("model", "series", "period_start", "issued_at", "created_at", "p50"),
            (
                (model, INTENSITY, issued_at + step * HALF_HOUR, issued_at, issued_at, value)
                for step, value in enumerate(values)
                if value is not None
            ),
        )

    def telemetry(self, start: datetime) -> None:
        self.connection.execute(
            "INSERT INTO core.intensity (period_start, actual_gco2_kwh) VALUES (%s, 100) "
            "ON CONFLICT DO NOTHING",
            [start],
        )

    def judge(self, at: datetime = T, stamp: Stamp = LIVE) -> Judged:
        return judge_alerts(self.connection, stamp, at)

    def events(self, columns: str = "event_start, event_end, status") -> list[tuple[Any, ...]]:
        query = f"SELECT {columns} FROM ops.alert_deliveries ORDER BY delivery_id"  # noqa: S608
        return self.connection.execute(query.encode()).fetchall()

    def outcomes(self, columns: str = "outcome, times") -> list[tuple[Any, ...]]:
        query = f"SELECT {columns} FROM ops.alert_judgements ORDER BY alert_id, first_at"  # noqa: S608
        return self.connection.execute(query.encode()).fetchall()

    def told(self) -> None:
        """As if what is pending had been delivered."""
        self.connection.execute(
            "UPDATE ops.alert_deliveries SET status = 'delivered', delivered_to = '{1}', "
            "attempts = 1, last_attempt_at = now(), closed_at = now() WHERE status = 'pending'"
        )


@pytest.fixture
def alerts(warehouse: SecretStr) -> Iterator[Alerts]:
    with connect(warehouse) as connection:
        yield Alerts(connection)


class Service(http_stub.Stub):
    """A notification service: takes what is posted, unless the test scripts another reply."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[dict[str, Any]] = []

    def answer(self, asked: http_stub.Asked) -> http_stub.Reply:
        reply = super().answer(asked)
        if reply.status < 400 and not (reply.wait_s or reply.reset):
            with self.lock:
                self.taken.append(json.loads(asked.body))
        return reply

    def address(self, secret: str = "s3cret-token") -> SecretStr:
        return SecretStr(f"json://user:{secret}@127.0.0.1:{self.server_port}/{secret}")


@pytest.fixture
def service() -> Iterator[Service]:
    with http_stub.run(Service()) as running:
        yield running
