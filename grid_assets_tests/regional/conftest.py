"""Regional rows for tests, loaded and published in a real database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest

from grid_assets.halfhours import Window, days_window
from grid_assets.regional.load import load_regional, load_regional_forecast
from grid_assets.regional.publish import publish_regional_intensity, publish_regional_mix
from grid_assets.series import FUELS
from grid_assets.sources.carbon_intensity.regional import NO_MIX, RegionalRow
from grid_assets.telemetry.load import Capture
from grid_assets.telemetry.publish import Published
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse
connection = shared_warehouse.connection

T0: Final = datetime(2026, 1, 1, tzinfo=UTC)
DAY: Final = days_window(date(2026, 1, 1), date(2026, 1, 1))
SEEN: Final = T0 + timedelta(hours=12)
LATER: Final = SEEN + timedelta(minutes=30)
NOW: Final = T0 + timedelta(days=3)
LONDON: Final = 13
SHARES: Final = dict(zip(FUELS, (7, 0, 12, 30, 15, 0, 1, 5, 30), strict=True))

Load = Callable[..., int]
Publish = Callable[..., Published]


def row(
    start: datetime = T0,
    region: int = LONDON,
    forecast: float | None = 100,
    *,
    actual: float | None = None,
    unknown: Mapping[str, float] | None = None,
    mix: bool = True,
    **shares: float | None,
) -> RegionalRow:
    """One half-hour of a region; without `mix`, it has none of the shares."""
    published = {fuel: decimal(share) for fuel, share in {**SHARES, **shares}.items()}
    return RegionalRow(
        region,
        start,
        decimal(forecast),
        decimal(actual),
        "low",
        published if mix else NO_MIX.shares_pct,
        {fuel: Decimal(str(share)) for fuel, share in (unknown or {}).items()},
    )


def decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def passes(connection: Connection) -> None:
    """A judge that finds nothing to object to."""


@pytest.fixture
def load(connection: Connection) -> Load:
    """Loads rows as captured at a time; returns how many were added."""

    def load(*rows: RegionalRow, at: datetime = SEEN, **options: Any) -> int:
        settings = {"simulated": False, **options}
        added = load_regional(connection, [Capture(rows, at)], **settings)
        connection.execute("DROP TABLE staged")  # at the end of the writer's transaction
        return added

    return load


@pytest.fixture
def publish(connection: Connection) -> Publish:
    """Publishes both tables of `core`; returns what the one that is asked for reports."""

    def publish(
        relation: str,
        window: Window = DAY,
        now: datetime = NOW,
        judge: Callable[[Connection], None] = passes,
    ) -> Published:
        function = {
            "core.regional_intensity": publish_regional_intensity,
            "core.regional_mix": publish_regional_mix,
        }[relation]
        done = function(connection, window, now, judge)
        connection.execute("DROP TABLE staged")
        return done

    return publish


@pytest.fixture
def capture(connection: Connection) -> Load:
    """Captures a 48-hour forecast at a time; returns how many half-hours of a region were added."""

    def capture(*rows: RegionalRow, at: datetime = SEEN, simulated: bool = False) -> int:
        return load_regional_forecast(connection, rows, at, simulated)

    return capture
