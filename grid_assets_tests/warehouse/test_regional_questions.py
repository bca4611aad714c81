"""Questions by region: when, where, and what a use emits, equal to a search by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import psycopg
import pytest
from psycopg import errors

from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse
from grid_assets_tests.forecasting.regions.captured import IDS, capture, estimate, national

one_warehouse = shared_warehouse.one_warehouse
HOUR = timedelta(hours=1)


def value(region: int, at: datetime) -> int:
    return random.Random(f"{region} {at}").randint(0, 300)


@pytest.fixture
def connection(one_warehouse: Any) -> Iterator[Connection]:
    """A transaction that is never committed, in which now() stands still."""
    with psycopg.connect(one_warehouse.get_secret_value()) as connection:
        capture(connection, captured(connection), value)
        yield connection
        connection.rollback()


def next_half_hour(connection: Connection) -> datetime:
    [(now,)] = connection.execute("SELECT now()").fetchall()
    return floor(now.astimezone(UTC)) + HALF_HOUR


def captured(connection: Connection) -> datetime:
    return next_half_hour(connection) - HALF_HOUR + timedelta(minutes=1)


def rounded(number: Decimal) -> Decimal:
    """To a tenth, halves away from 0, as PostgreSQL does."""
    return number.quantize(Decimal("0.1"), ROUND_HALF_UP)


def rows(connection: Connection, query: str, *values: Any) -> list[Any]:
    return connection.execute(query, values).fetchall()


def best(
    region: int, half_hours: int, at: datetime, end: datetime
) -> tuple[Decimal, list[datetime]]:
    """The lowest mean of so many half-hours in a row, the first such stretch."""
    starts = []
    while at + half_hours * HALF_HOUR <= end:
        stretch = [at + n * HALF_HOUR for n in range(half_hours)]
        total = Decimal(sum(value(region, one) for one in stretch))
        starts.append((total / half_hours, stretch))
        at += HALF_HOUR
    return min(starts, key=lambda found: (found[0], found[1][0]))


@pytest.mark.parametrize("region", [1, 13, 18])
@pytest.mark.parametrize("half_hours", [1, 6, 40])
def test_the_greenest_window_of_a_region_is_that_of_a_search(
    connection: Connection, region: int, half_hours: int
) -> None:
    start = next_half_hour(connection)
    end = start + 30 * HOUR
    found = rows(
        connection,
        "SELECT period_start, gco2_kwh, mean_gco2_kwh, forecast_model "
        "FROM reporting.greenest_window(%s, %s, earliest => %s, region => %s)",
        half_hours * HALF_HOUR,
        end,
        start,
        region,
    )
    mean, stretch = best(region, half_hours, start, end)
    assert [row[0] for row in found] == stretch
    assert [row[1] for row in found] == [value(region, at) for at in stretch]
    assert {row[2:] for row in found} == {(rounded(mean), "neso")}


def test_the_greenest_region_is_the_area_with_the_lowest_window(connection: Connection) -> None:
    start = next_half_hour(connection)
    end = start + 24 * HOUR
    query = (
        "SELECT place, region_id, array_agg(period_start ORDER BY period_start) "
        "FROM reporting.greenest_region(%s, %s, earliest => %s, places => 18) "
        "GROUP BY 1, 2 ORDER BY 1"
    )
    found = rows(connection, query, 3 * HOUR, end, start)
    lowest = {region: best(region, 6, start, end) for region in IDS if region <= 14}
    expected = sorted((mean, region, stretch) for region, (mean, stretch) in lowest.items())
    assert [row[1] for row in found] == [region for _, region, _ in expected]
    assert [row[0] for row in found] == list(range(1, 15))
    assert [row[2] for row in found] == [stretch for _, _, stretch in expected]


def test_one_region_is_named_unless_more_are_asked_for_and_some_can_be_chosen(
    connection: Connection,
) -> None:
    start = next_half_hour(connection)
    query = "SELECT DISTINCT region_id FROM reporting.greenest_region('1 hour', %s, regions => %s)"
    end = start + 24 * HOUR
    [(one,)] = rows(connection, query, end, None)
    assert one <= 14
    assert rows(connection, query, end, [16]) == [(16,)]


def test_a_region_without_a_forecast_keeps_no_other_from_being_named(
    connection: Connection,
) -> None:
    start = next_half_hour(connection)
    connection.execute("DELETE FROM raw.regional_vintages")
    capture(connection, captured(connection), value, regions=[9])
    query = "SELECT DISTINCT region_id FROM reporting.greenest_region('1 hour', %s)"
    assert rows(connection, query, start + 24 * HOUR) == [(9,)]


def measured(connection: Connection, start: datetime) -> None:
    estimate(connection, start, next_half_hour(connection) - HALF_HOUR, value)
    connection.execute(
        "INSERT INTO core.intensity (period_start, actual_gco2_kwh) "
        "SELECT period_start, 100 FROM core.regional_intensity WHERE region_id = 18"
    )


def use(connection: Connection, start: datetime, kwh: list[Any], region: int | None) -> Any:
    [row] = rows(
        connection, "SELECT * FROM reporting.carbon_of_use(%s, %s, %s)", start, kwh, region
    )
    return row


def test_a_use_counts_what_was_measured_and_then_what_is_forecast(connection: Connection) -> None:
    now = next_half_hour(connection)
    start = now - 3 * HOUR
    measured(connection, start)
    national(connection, now, lambda _: 80, lambda _: 90)
    kwh = [Decimal("1.5")] * 5 + [Decimal("0"), Decimal("2"), Decimal("0.5")]
    half_hours = [start + n * HALF_HOUR for n in range(8)]
    over = [at for at in half_hours if at + HALF_HOUR <= now - HALF_HOUR]
    used = zip(kwh, half_hours, strict=True)
    grams = sum((amount * Decimal(value(13, at)) for amount, at in used), Decimal(0))
    assert use(connection, start, kwh, 13) == (
        grams,
        rounded(grams / sum(kwh, Decimal(0))),
        sum(kwh),
        sum(kwh[: len(over)]),
        sum(kwh[len(over) :]),
    )
    # nationally: actuals of 100, then our forecast of 80; nothing is used between them
    assert use(connection, start, kwh, None) == (950, 95, 10, Decimal("7.5"), Decimal("2.5"))


def test_the_mean_of_a_use_is_weighed_by_kwh(connection: Connection) -> None:
    start = next_half_hour(connection)
    [low, high] = sorted([start, start + HALF_HOUR], key=lambda at: value(5, at))
    more = [9, 1] if low < high else [1, 9]
    _, mean, *_ = use(connection, start, more, 5)
    assert mean == rounded(Decimal(9 * value(5, low) + value(5, high)) / 10)


def test_a_use_that_begins_now_counts_the_half_hour_that_has_begun(
    connection: Connection,
) -> None:
    begun = next_half_hour(connection) - HALF_HOUR
    connection.execute(
        "INSERT INTO core.regional_intensity (region_id, period_start, intensity_gco2_kwh) "
        "VALUES (13, %s, 70)",
        [begun],
    )
    later = value(13, begun + HALF_HOUR)
    assert use(connection, begun, [1, 1], 13) == (70 + later, Decimal(70 + later) / 2, 2, 0, 2)


def test_a_use_beyond_all_forecasts_has_no_total(connection: Connection) -> None:
    start = next_half_hour(connection)
    assert use(connection, start + 47 * HOUR, [1] * 10, 13) == (None, None, 10, 0, 1)


def test_half_hours_without_use_need_no_value(connection: Connection) -> None:
    start = next_half_hour(connection)
    grams, mean, *_ = use(connection, start + 47 * HOUR, [1] + [0] * 10, 13)
    assert grams == mean == value(13, start + 47 * HOUR)


@pytest.mark.parametrize(
    "call",
    [
        "SELECT FROM reporting.greenest_window('1 hour', now() + interval '1 day', region => 0)",
        "SELECT FROM reporting.greenest_window('1 hour', now() + interval '1 day', region => 19)",
        "SELECT FROM reporting.greenest_region('1 hour', 'tomorrow', regions => ARRAY[19])",
        "SELECT FROM reporting.greenest_region('1 hour', 'tomorrow', regions => '{NULL}')",
        "SELECT FROM reporting.greenest_region('1 hour', now() + interval '1 day', places => 0)",
        "SELECT FROM reporting.carbon_of_use(now(), ARRAY[]::numeric[])",
        "SELECT FROM reporting.carbon_of_use(now(), NULL)",
        "SELECT FROM reporting.carbon_of_use(NULL, ARRAY[1])",
        "SELECT FROM reporting.carbon_of_use(now(), ARRAY[1, NULL])",
        "SELECT FROM reporting.carbon_of_use(now(), ARRAY[-1])",
        "SELECT FROM reporting.carbon_of_use(now(), ARRAY['NaN']::numeric[])",
        "SELECT FROM reporting.carbon_of_use(now(), ARRAY[[1], [2]])",
        "SELECT FROM reporting.carbon_of_use(now(), ARRAY[1], 19)",
    ],
)
def test_an_argument_that_makes_no_sense_is_refused(connection: Connection, call: str) -> None:
    with pytest.raises(errors.InvalidParameterValue):
        rows(connection, call)
