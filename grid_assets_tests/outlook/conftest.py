"""Publications for tests, loaded and published in a real database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import pytest

from grid_assets.halfhours import DAY, HALF_HOUR, Window, floor
from grid_assets.outlook.load import load_outlook
from grid_assets.outlook.publish import publish_outlook
from grid_assets.sources.publication import Publication
from grid_assets.telemetry.load import Capture
from grid_assets.telemetry.publish import Published
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse
connection = shared_warehouse.connection

T0: Final = datetime(2026, 1, 10, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
NOW: Final = T0 + 30 * DAY
MONTH: Final = Window(T0 - 15 * DAY, T0 + 15 * DAY)

Load = Callable[..., int]
Publish = Callable[..., Published]


def publication(
    published_at: datetime,
    values: Sequence[float | None] | float,
    *,
    source: str = "elexon_ndf",
    series: str = "demand_mw",
    first: datetime | None = None,
    minutes: Literal[30, 60] = 30,
) -> Publication:
    """From the first half-hour that had not begun on, or from `first`; a number stands for two
    days of it."""
    if first is None:
        first = floor(published_at + HALF_HOUR - timedelta(microseconds=1))
    if not isinstance(values, Sequence):
        values = [values] * 96
    step = timedelta(minutes=minutes)
    labels = {first + place * step: value for place, value in enumerate(values)}
    return Publication(source, series, published_at, minutes, labels)


@dataclass(frozen=True)
class Half:
    """A half-hour of generation, or of embedded generation."""

    period_start: datetime
    generation_mw: Mapping[str, int | None] = field(default_factory=dict)
    demand_mw: int | None = None
    published_at: datetime | None = None
    embedded_wind_mw: int | None = None
    embedded_solar_mw: int | None = None


@pytest.fixture
def load(connection: Connection) -> Load:
    """Loads publications as captured at a time, an hour after they were published if not given."""

    def load(*publications: Publication, at: datetime | None = None, **options: Any) -> int:
        added = 0
        for one in publications:
            capture = Capture([one], at or one.published_at + HOUR)
            added += load_outlook(connection, [capture], **options)
            connection.execute("DROP TABLE staged")  # at the end of the writer's transaction
        return added

    return load


@pytest.fixture
def publish(connection: Connection) -> Publish:
    def publish(window: Window = MONTH, now: datetime = NOW) -> Published:
        done = publish_outlook(connection, window, now, lambda _: None)
        connection.execute("DROP TABLE staged")
        return done

    return publish


@pytest.fixture
def known(connection: Connection) -> Callable[..., dict[datetime, float]]:
    """The values of a series as known at a time, by half-hour."""

    def known(at: datetime, series: str = "demand_mw") -> dict[datetime, float]:
        rows: Iterable[Any] = connection.execute(
            "SELECT period_start, value_mw FROM core.outlook_as_known_at(%s) WHERE series = %s",
            [at, series],
        )
        return dict(rows)

    return known
