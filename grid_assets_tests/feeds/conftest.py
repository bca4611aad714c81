"""A small warehouse with telemetry, forecasts and regions, and the documents made from it.

All of it is in one transaction that is never committed, so now() stands still.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]
import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.feeds.documents import documents
from grid_assets.feeds.read import read_in
from grid_assets.feeds.schemas import schemas
from grid_assets.feeds.values import Document
from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.series import LEAD_BUCKETS
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse
from grid_assets_tests.forecasting.regions.captured import IDS, capture, estimate, national

one_warehouse = shared_warehouse.one_warehouse

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

VALIDATORS: Final = {
    name: jsonschema.Draft202012Validator(schema) for name, schema in schemas().items()
}


@dataclass(frozen=True)
class Filled:
    """A warehouse that was filled, and its documents."""

    connection: Connection
    now: datetime
    made: dict[str, Document]


@pytest.fixture(scope="module")
def filled(one_warehouse: SecretStr) -> Iterator[Filled]:
    """For tests that only read: filled once for a module, in a transaction."""
    with psycopg.connect(one_warehouse.get_secret_value()) as connection:
        now = fill(connection)
        yield Filled(connection, now, made_of(connection, now))
        connection.rollback()


@pytest.fixture
def connection(filled: Filled) -> Iterator[Connection]:
    """The filled warehouse for a test that changes it: each change is undone."""
    with filled.connection.transaction(force_rollback=True):
        yield filled.connection


@pytest.fixture
def empty(one_warehouse: SecretStr) -> Iterator[Connection]:
    """A warehouse without data, to be read only: the filled one is not committed."""
    with psycopg.connect(one_warehouse.get_secret_value()) as connection:
        yield connection
        connection.rollback()


def now_of(connection: Connection) -> datetime:
    [(now,)] = connection.execute("SELECT now()").fetchall()
    found: datetime = now
    return found.astimezone(UTC)


def value(region: int, at: datetime) -> float:
    """Carbon intensity of a region at a half-hour."""
    return 100.3 + region + at.hour + at.minute / 100


def ours(at: datetime) -> float:
    """Our national forecast: lowest at 04:00 UTC."""
    return 200.4 + 3 * abs((at.hour - 4 + 12) % 24 - 12) + at.minute / 60


def theirs(at: datetime) -> float:
    """NESO's, which follows another day."""
    return 210.2 + 2 * abs((at.hour - 15 + 12) % 24 - 12)


def fill(connection: Connection) -> datetime:
    """Telemetry up to the half-hour before the last, forecasts, scores and regions; returns now.

    The blend of region 13 is derived and shown, by 0.5 of the national difference.
    """
    now = now_of(connection)
    first = floor(now)
    start = first - DAY
    estimate(connection, start, first + HALF_HOUR, value)
    connection.execute(
        "INSERT INTO core.regional_mix (region_id, period_start, gas_pct, wind_pct) "
        "SELECT region_id, period_start, 40.5, 30 FROM core.regional_intensity"
    )
    connection.execute(
        "INSERT INTO core.intensity (period_start, actual_gco2_kwh, intensity_index) "
        "SELECT period_start, 150 + extract(hour FROM period_start), 'moderate' "
        "FROM core.regional_intensity WHERE region_id = 1 AND period_start < %s",
        [first - HALF_HOUR],
    )
    connection.execute(
        "INSERT INTO core.generation_mix (period_start, gas_pct, wind_pct, nuclear_pct) "
        "SELECT period_start, 30.2, 40.1, 10 FROM core.intensity"
    )
    national(connection, first - HOUR, ours, theirs)
    connection.execute(
        "INSERT INTO forecast.models (model, revision, source) VALUES ('blend', 'r1', 'builtin')"
    )
    connection.execute(
        "UPDATE forecast.latest SET p10 = p50 - 20.2, p90 = p50 + 30.3 WHERE model = 'blend'"
    )
    capture(connection, first + timedelta(minutes=1), value)
    for bucket in LEAD_BUCKETS:
        connection.execute(
            "INSERT INTO forecast.regional_weights VALUES (13, %s, %s, 0.5, 12.5, 1000, true)",
            [now - DAY, bucket],
        )
    score(connection, now)
    return now


def score(connection: Connection, now: datetime) -> None:
    """Errors of two days, and of one that is too long ago to count."""
    for days in (1, 2, 31):
        target = now.date() - days * DAY
        for model, n_band in (("blend", 40), ("neso", 0), ('odd "name"\\of\nmine', 7)):
            for bucket, n in (("0-3h", 48), ("24-48h", 333)):
                connection.execute(
                    "INSERT INTO forecast.accuracy (model, series, target_date, lead_bucket, n, "
                    "abs_error_sum, error_sum, abs_actual_sum, n_band, n_inside_80, simulated) "
                    "VALUES (%s, 'carbon_intensity', %s, %s, %s, %s, %s, 9000, %s, %s, %s)",
                    [model, target, bucket, n, 617 * days, -31, n_band, n_band // 2, days == 2],
                )
        for region in (13, 18):
            connection.execute(
                "INSERT INTO forecast.regional_accuracy VALUES "
                "('neso', %s, %s, '0-3h', 10, %s, -3, 1000, NULL, false)",
                [region, target, 5.5 * region * days],
            )


def validate(made: dict[str, Document]) -> None:
    for name, document in made.items():
        of = "region.json" if name.startswith("regions/") else name
        VALIDATORS[of].validate(json.loads(json.dumps(document, allow_nan=False)))


def made_of(connection: Connection, now: datetime, **options: Any) -> dict[str, Document]:
    """The documents, which are valid by their schemas."""
    made = documents(read_in(connection, now, **options), "live")
    validate(made)
    expected = {"now.json", "forecast.json", "greenest.json", "accuracy.json"}
    if made["now.json"]["regions"]:
        expected |= {"postcodes.json", *(f"regions/{region}.json" for region in IDS)}
    assert made.keys() == expected
    return made
