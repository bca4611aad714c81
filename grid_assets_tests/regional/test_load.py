"""From regional rows to `raw`: a change log, and captured forecasts as arrays."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import psycopg
import pytest

from grid_assets.halfhours import HALF_HOUR, floor, parse_api_time
from grid_assets.regional.load import MOST_TENTHS, STEPS, too_large
from grid_assets.regions import REGIONS
from grid_assets.series import FUELS
from grid_assets.sources.carbon_intensity.regional import RegionalRow, parse_regional
from grid_assets.telemetry.quarantine import ALWAYS
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.regional.conftest import LATER, LONDON, SEEN, T0, Load, row
from grid_assets_tests.sources.carbon_intensity.test_regional import recorded

VALUES: Final = (
    "SELECT region_id, period_start, captured_at, forecast_gco2_kwh FROM raw.regional "
    "ORDER BY region_id, period_start, arrival, captured_at"
)
VINTAGE: Final = (
    "SELECT region_id, period_start, forecast_gco2_kwh, biomass_pct, coal_pct, imports_pct, "
    "gas_pct, nuclear_pct, other_pct, hydro_pct, solar_pct, wind_pct, simulated "
    "FROM raw.regional_forecast WHERE issued_at = %s ORDER BY region_id, period_start"
)


def found(connection: Connection, query: str, *values: Any) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode(), values or None).fetchall()


def shown(one: RegionalRow, *, simulated: bool = False) -> tuple[Any, ...]:
    """A row as `raw.regional_forecast` must show it."""
    shares = (one.shares_pct[fuel] for fuel in FUELS)
    return (one.region_id, one.period_start, one.forecast_gco2_kwh, *shares, simulated)


# The change log


def test_a_row_is_added_only_where_a_value_of_that_region_changed(
    connection: Connection, load: Load
) -> None:
    assert load(row(), row(region=1), row(T0 + HALF_HOUR)) == 3
    assert load(row(), row(region=1), row(T0 + HALF_HOUR), at=LATER) == 0
    assert load(row(), row(region=1, forecast=90), row(T0 + HALF_HOUR), at=LATER) == 1
    assert found(connection, VALUES) == [
        (1, T0, SEEN, 100),
        (1, T0, LATER, 90),
        (LONDON, T0, SEEN, 100),
        (LONDON, T0 + HALF_HOUR, SEEN, 100),
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"forecast": 100.1},
        {"forecast": None},
        {"actual": 100},
        {"wind": 29.9},
        {"coal": None},
        {"mix": False},
        {"unknown": {"tidal": 0.1}},
    ],
    ids=str,
)
def test_each_value_of_a_row_counts_as_a_change_and_so_does_its_return(
    load: Load, changed: dict[str, Any]
) -> None:
    assert load(row()) == 1
    assert load(row(**changed), at=LATER) == 1
    assert load(row(**changed), at=LATER + HALF_HOUR) == 0
    assert load(row(), at=LATER + 2 * HALF_HOUR) == 1


def test_what_was_published_is_kept_to_the_digit(connection: Connection, load: Load) -> None:
    load(row(forecast=100.25, wind=30.05, unknown={"tidal": 0.1}))
    kept = "SELECT forecast_gco2_kwh, wind_pct, unknown_pct, simulated FROM raw.regional"
    assert found(connection, kept) == [(Decimal("100.25"), Decimal("30.05"), {"tidal": 0.1}, False)]


def test_a_replayed_record_takes_its_place_before_what_came_later(
    connection: Connection, load: Load
) -> None:
    load(row(forecast=100), at=LATER)
    assert load(row(forecast=90), row(region=1), at=SEEN, replayed=True) == 2
    newest = (
        "SELECT DISTINCT ON (region_id) region_id, forecast_gco2_kwh FROM raw.regional "
        "ORDER BY region_id, arrival DESC, captured_at DESC"
    )
    assert found(connection, newest) == [(1, 100), (LONDON, 100)]
    assert load(row(forecast=90), at=SEEN, replayed=True) == 0


@pytest.mark.parametrize(
    ("column", "value"),
    [("region_id", 19), ("region_id", 0), ("period_start", T0 + timedelta(minutes=17))],
)
def test_the_database_refuses_what_is_no_half_hour_of_a_region(
    connection: Connection, load: Load, column: str, value: Any
) -> None:
    load(row())
    with pytest.raises(psycopg.errors.IntegrityError):
        connection.execute(
            psycopg.sql.SQL("UPDATE raw.regional SET {} = %s").format(
                psycopg.sql.Identifier(column)
            ),
            [value],
        )


# Captured forecasts


def test_a_recorded_forecast_is_shown_exactly_as_it_was_published(
    connection: Connection, capture: Load
) -> None:
    body = recorded("fw24h_2026-05-05.json")
    at = parse_api_time("2026-05-05T23:42Z")
    rows = parse_regional(body, ALWAYS).rows
    assert capture(*rows, at=at) == len(rows) == 36
    assert found(connection, VINTAGE, at) == [shown(one) for one in rows]


def test_a_repeated_capture_adds_nothing_and_any_other_value_a_vintage(
    connection: Connection, capture: Load
) -> None:
    rows = [row(SEEN + n * HALF_HOUR, region, 100 + n) for region in (1, LONDON) for n in range(96)]
    assert capture(*rows) == 192
    soon = SEEN + timedelta(minutes=2)
    assert capture(*rows, at=soon) == 0
    changed = [*rows[:-1], row(SEEN + 95 * HALF_HOUR, LONDON, 100 + 95, wind=29.9)]
    assert capture(*changed, at=soon) == 192
    soon += timedelta(minutes=2)
    assert capture(*changed[1:], at=soon) == 191  # a value that is gone is a change too
    soon += timedelta(minutes=2)
    tenth = [row(SEEN, 1, unknown={"tidal": 0.1}), *changed[1:]]
    assert capture(*tenth, at=soon) == 192
    assert capture(*tenth, at=soon + timedelta(minutes=2)) == 0
    assert capture(*tenth, at=soon + timedelta(minutes=2), simulated=True) == 192
    assert found(connection, "SELECT count(*) FROM raw.regional_vintages") == [(5,)]
    assert found(
        connection, "SELECT unknown_pct FROM raw.regional_vintages WHERE issued_at = %s", soon
    ) == [([{"region_id": 1, "period_start": "2026-01-01T12:00Z", "fuel": "tidal", "pct": 0.1}],)]


def test_the_same_values_in_the_next_half_hour_are_another_forecast(capture: Load) -> None:
    rows = [row(SEEN + n * HALF_HOUR) for n in range(97)]
    assert capture(*rows[:96]) == 96
    assert capture(*rows[1:], at=LATER) == 96


def test_what_a_capture_lacks_is_null_and_shown_as_nothing(
    connection: Connection, capture: Load
) -> None:
    rows = [
        row(SEEN, 1, mix=False),
        row(SEEN + 3 * HALF_HOUR, LONDON, None, coal=None),
        row(SEEN + 95 * HALF_HOUR, 18, 0),
    ]
    assert capture(*rows) == 3
    assert found(connection, VINTAGE, SEEN) == [shown(one) for one in rows]
    [(lines,)] = found(connection, "SELECT forecast_tenths FROM raw.regional_vintages")
    assert [len(line) for line in lines] == [STEPS] * len(REGIONS)
    assert sum(value is not None for line in lines for value in line) == 2


def test_half_hours_that_ended_before_the_capture_or_come_after_its_48_hours_are_left_out(
    connection: Connection, capture: Load
) -> None:
    at = SEEN + timedelta(minutes=10)
    rows = [row(floor(at) + n * HALF_HOUR, forecast=n + 2) for n in (-2, -1, 0, 95, 96)]
    assert capture(*rows, at=at) == 2
    assert [one[1:3] for one in found(connection, VINTAGE, at)] == [
        (SEEN, 2),
        (SEEN + 95 * HALF_HOUR, 97),
    ]
    assert capture(row(SEEN - HALF_HOUR), at=LATER) == 0
    assert capture(at=LATER) == 0


def test_a_capture_that_a_wrong_clock_stamped_later_does_not_count_as_the_one_before(
    connection: Connection, capture: Load
) -> None:
    rows = [row(SEEN + HALF_HOUR * n) for n in range(96)]
    capture(row(forecast=1, start=SEEN + timedelta(days=9)), at=SEEN + timedelta(days=9))
    assert capture(*rows) == 96
    assert capture(*rows, at=SEEN + timedelta(minutes=1)) == 0


def test_values_that_the_arrays_cannot_hold_are_told_apart() -> None:
    largest = Decimal(MOST_TENTHS) / 10
    fits = [row(forecast=float(largest)), row(forecast=float(-largest)), row(forecast=None)]
    refused = [row(forecast=float(largest) + 0.1), row(region=6, forecast=13579)]
    large = list(too_large([*fits, *refused]))
    assert [one for one, _ in large] == refused
    for one, reject in large:
        assert "too large" in reject.reason
        content = parse_regional({"data": json.loads(reject.payload)}, ALWAYS)
        assert [(r.region_id, r.forecast_gco2_kwh) for r in content.rows] == [
            (one.region_id, one.forecast_gco2_kwh)
        ]


@pytest.mark.parametrize(
    "wind", ["'{}'", "array_fill(1, ARRAY[17, 96])", "array_fill(1, ARRAY[18])"]
)
def test_the_archive_refuses_arrays_of_another_shape(connection: Connection, wind: str) -> None:
    named = ", ".join(f"{fuel}_tenths" for fuel in FUELS)
    insert = f"INSERT INTO raw.regional_vintages (issued_at, starts_at, forecast_tenths, {named}) "
    good = "array_fill(1, ARRAY[18, 96])"
    values = f"VALUES (now(), '2026-01-01 00:00Z', {', '.join([good] * 9)}, "
    with pytest.raises(psycopg.errors.CheckViolation, match="regional_vintages_one_shape"):
        connection.execute(f"{insert}{values}{wind})".encode())
    connection.rollback()
    connection.execute(f"{insert}{values}{good})".encode())
