"""Days of the outlook and of generation by fuel that `raw` has and `core` lacks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grid_assets.halfhours import DAY, HALF_HOUR, Window
from grid_assets.outlook.behind import days_core_lacks
from grid_assets.outlook.load import load_elexon_generation, load_embedded_generation
from grid_assets.outlook.publish import publish_generation_mw
from grid_assets.telemetry.due import Range
from grid_assets.telemetry.load import Capture
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.outlook.conftest import HOUR, MONTH, NOW, T0, Half, publication

DAYS = Range(MONTH.start.date(), MONTH.end.date())
FUELS = {"CCGT": 5000, "WIND": 7000}
PAUSE = timedelta(minutes=5)


def lacking(connection: Connection, days: Range = DAYS) -> list[Any]:
    return days_core_lacks(connection, days, NOW, PAUSE)


@pytest.fixture
def generate(connection: Connection) -> Callable[..., None]:
    """Loads a half-hour, of Elexon or of NESO."""

    def generate(half: Half, at: datetime, estimate: bool = False, replayed: bool = False) -> None:
        load: Callable[..., int] = load_embedded_generation if estimate else load_elexon_generation
        load(connection, [Capture([half], at)], replayed=replayed)
        connection.execute("DROP TABLE staged")

    return generate


def publish_all(connection: Connection) -> None:
    publish_generation_mw(connection, MONTH, NOW, lambda _: None)
    connection.execute("DROP TABLE staged")


def test_a_publication_that_core_lacks_is_found_until_it_is_published(
    connection: Connection, load: Any, publish: Any
) -> None:
    load(publication(T0, 30_000), publication(T0 - 9 * DAY, 30_000))
    load(publication(T0 + DAY, 3_000, source="neso_embedded", series="embedded_wind_mw"))
    days = [(T0 + n * DAY).date() for n in (-9, 0, 1)]
    assert lacking(connection) == days
    assert lacking(connection, Range(days[1], days[1])) == [days[1]]
    publish(Window(T0, T0 + DAY))
    assert lacking(connection) == [days[0], days[2]]
    publish()
    assert lacking(connection) == []
    load(publication(T0, 31_000), at=T0 + 2 * HOUR)  # changed
    assert lacking(connection) == [days[1]]
    publish()
    assert lacking(connection) == []


def test_generation_that_is_newer_than_that_of_core_is_found(
    connection: Connection, generate: Callable[..., None]
) -> None:
    at = T0 + HALF_HOUR
    generate(Half(T0, FUELS), at)
    assert lacking(connection) == [T0.date()]
    publish_all(connection)
    assert lacking(connection) == []
    generate(Half(T0, FUELS, 24_000), at + HALF_HOUR)
    assert lacking(connection) == [T0.date()]
    publish_all(connection)
    # what takes its place before the newest changes nothing
    generate(Half(T0, {**FUELS, "COAL": 5}), at + timedelta(minutes=1), replayed=True)
    assert lacking(connection) == []


def test_an_embedded_estimate_that_core_does_not_use_is_found(
    connection: Connection, generate: Callable[..., None]
) -> None:
    generate(Half(T0, FUELS), T0 + HALF_HOUR)
    publish_all(connection)
    for solar in (300, 310):
        half = Half(T0, embedded_wind_mw=1000, embedded_solar_mw=solar)
        generate(half, T0 + DAY + timedelta(minutes=solar), estimate=True)
        assert lacking(connection) == [T0.date()]
        publish_all(connection)
        assert lacking(connection) == []
    # an estimate of a half-hour that Elexon has not published changes nothing
    half = Half(T0 - DAY, embedded_wind_mw=1000, embedded_solar_mw=300)
    generate(half, T0, estimate=True)
    assert lacking(connection) == []


def test_half_hours_that_have_not_begun_are_not_lacking(
    connection: Connection, generate: Callable[..., None]
) -> None:
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + 2 * HOUR
    generate(Half(start, FUELS), NOW)
    later = Range(start.date(), start.date())
    assert days_core_lacks(connection, later, start + DAY) == []


@pytest.mark.parametrize(
    ("asset", "status", "ago", "waits"),
    [
        ("raw.elexon_generation", "running", 9 * HOUR, True),  # its run publishes the day
        ("core.generation_mw", "running", HOUR, True),
        ("core.outlook", "failed", PAUSE / 2, True),
        ("core.outlook", "crashed", PAUSE / 2, True),
        ("core.outlook", "failed", PAUSE * 2, False),
        ("raw.outlook", "crashed", PAUSE / 2, False),  # killed between raw and core
        ("raw.intensity", "running", PAUSE / 2, False),
        ("core.generation_mw", "failed", PAUSE / 2, False),
        ("core.outlook", "success", PAUSE / 2, False),
    ],
)
def test_a_day_waits_while_a_run_is_on_its_way_or_has_just_failed(
    connection: Connection, load: Any, asset: str, status: str, ago: timedelta, waits: bool
) -> None:
    load(publication(T0, 30_000))
    connection.execute(
        "INSERT INTO ops.etl_runs (run_id, asset, attempt, trigger, partition_start, "
        "partition_end, started_at, finished_at, status, error_type, host, pid, heartbeat_at) "
        "VALUES ('r', %s, 1, 'tick', %s, %s, %s, %s, %s, %s, 'here', 1, now())",
        [
            asset,
            (T0 - DAY).date(),
            T0.date(),
            NOW - ago,
            None if status == "running" else NOW,
            status,
            "ProcessDied" if status in ("failed", "crashed") else None,
        ],
    )
    assert lacking(connection) == ([] if waits else [T0.date()])
