"""London time in every view of half-hours, and fuels added up in groups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import pytest
from psycopg import sql

from grid_assets.halfhours import HALF_HOUR, LONDON, settlement
from grid_assets.series import FUEL_GROUP_LABELS, FUEL_GROUPS
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse
from grid_assets_tests.warehouse.half_hours import add_intensity, add_mix, add_power, rows

one_warehouse, connection = shared_warehouse.one_warehouse, shared_warehouse.connection

T0: Final = datetime(2026, 1, 1, tzinfo=UTC)

CHANGES: Final = [
    datetime(2025, 3, 30, 0, 30, tzinfo=UTC),
    datetime(2025, 3, 30, 1, tzinfo=UTC),
    datetime(2025, 7, 1, 23, tzinfo=UTC),
    datetime(2025, 10, 26, 0, 30, tzinfo=UTC),
    datetime(2025, 10, 26, 1, 30, tzinfo=UTC),
    datetime(2025, 10, 26, 23, 30, tzinfo=UTC),
]
"""Half-hours beside both clock changes, one that comes twice, and the edges of London days."""

WITHOUT_HALF_HOURS: Final = {
    "daily",
    "daily_energy",
    "monthly",
    "monthly_energy",
    "forecast_accuracy",
    "forecast_value",
    "etl_runs",
    "outlook_newest",
    "regional_forecast_accuracy",
}


def test_every_view_of_half_hours_has_london_time(connection: Connection) -> None:
    views = connection.execute(
        "SELECT relname, array_agg(attname::text) FROM pg_attribute "
        "JOIN pg_class AS c ON c.oid = attrelid "
        "WHERE relnamespace = 'reporting'::regnamespace AND relkind = 'v' GROUP BY relname"
    ).fetchall()
    assert {name for name, columns in views if "period_start" not in columns} == WITHOUT_HALF_HOURS
    for name, columns in views:
        if name not in WITHOUT_HALF_HOURS:
            wanted = {"period_start_london", "settlement_date", "settlement_period"}
            assert wanted <= set(columns), name


def forecast(connection: Connection, at: datetime, lead: timedelta = timedelta(0)) -> None:
    connection.execute(
        "INSERT INTO forecast.predictions "
        "(model, series, period_start, issued_at, created_at, p50) "
        "VALUES ('blend', 'carbon_intensity', %s, %s, now(), 100)",
        [at, at - lead],
    )


@pytest.mark.parametrize(
    "view",
    [
        "telemetry",
        "generation_mix",
        "generation_groups",
        "generation_mw",
        "forecast_latest",
        "forecast_day_ahead",
        "actual_vs_predicted",
    ],
)
def test_london_time_is_that_of_londons_clocks(connection: Connection, view: str) -> None:
    for at in CHANGES:
        add_intensity(connection, at)
        add_mix(connection, at)
        add_power(connection, at)
        forecast(connection, at, timedelta(hours=24))
    query = sql.SQL(
        "SELECT DISTINCT period_start, period_start_london, settlement_date, settlement_period "
        "FROM {} ORDER BY period_start"
    ).format(sql.Identifier("reporting", view))
    assert connection.execute(query).fetchall() == [
        (at, at.astimezone(LONDON).replace(tzinfo=None, fold=0), *settlement(at)) for at in CHANGES
    ]


@pytest.mark.parametrize("view", ["telemetry", "generation_mix", "actual_vs_predicted"])
def test_the_last_24_hours_have_the_same_london_time(connection: Connection, view: str) -> None:
    at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 4 * HALF_HOUR
    for number in range(3):
        add_intensity(connection, at + number * HALF_HOUR)
        add_mix(connection, at + number * HALF_HOUR)
        forecast(connection, at + number * HALF_HOUR)
    assert rows(connection, f"{view}_24h")
    columns = sql.SQL("period_start, period_start_london, settlement_date, settlement_period")
    one, other = (
        connection.execute(
            sql.SQL("SELECT DISTINCT {} FROM {} ORDER BY period_start").format(
                columns, sql.Identifier("reporting", name)
            )
        ).fetchall()
        for name in (view, f"{view}_24h")
    )
    assert one == other


def test_shares_of_telemetry_are_added_up_and_null_without_a_mix(connection: Connection) -> None:
    add_intensity(connection, T0)
    add_mix(connection, T0 + HALF_HOUR, solar=None, coal=1, wind=Decimal("33.5"))
    without, with_mix = rows(connection, "telemetry")
    names = ("renewable_pct", "zero_carbon_pct", "fossil_pct")
    assert [without[name] for name in names] == [None, None, None]
    assert [with_mix[name] for name in names] == [Decimal("34.5"), Decimal("49.5"), 31]


# Groups


def test_a_half_hour_has_each_group_once_and_they_sum_to_100(connection: Connection) -> None:
    add_mix(connection, T0, solar=None, wind=Decimal("33.3"))
    add_power(connection, T0, gas=3000, demand=4000)
    found = {one["fuel_group"]: one for one in rows(connection, "generation_groups")}
    assert {group: one["pct"] for group, one in found.items()} == {
        "renewable": Decimal("34.3"),
        "low_carbon": 22,
        "fossil": 30,
        "imports": 12,
        "other": Decimal("1.7"),
    }
    assert {group: one["mw"] for group, one in found.items()} == {
        "renewable": 3000,
        "low_carbon": 2000,
        "fossil": 4000,
        "imports": 1000,
        "other": 1000,
    }
    assert {(one["generation_mw"], one["demand_mw"]) for one in found.values()} == {(11000, 4000)}
    assert {group: one["fuel_group_label"] for group, one in found.items()} == FUEL_GROUP_LABELS


def test_an_average_over_groups_is_right_whichever_weight_is_taken(connection: Connection) -> None:
    for number, (wind, demand, gas) in enumerate([(30, 10_000, 1000), (10, 30_000, 10_000)]):
        add_mix(connection, T0 + number * HALF_HOUR, wind=wind)
        add_power(connection, T0 + number * HALF_HOUR, demand=demand, gas=gas)
    # counts for the mean over time alone: neither demand nor all of generation is known
    add_mix(connection, T0 + 2 * HALF_HOUR, wind=5)
    add_power(connection, T0 + 2 * HALF_HOUR, demand=None, wind=None)
    add_mix(connection, T0 + 3 * HALF_HOUR, wind=3)
    found = connection.execute(
        "SELECT avg(pct), sum(pct * demand_mw) / sum(demand_mw), "
        "100.0 * sum(mw) / sum(generation_mw) "
        "FROM reporting.generation_groups WHERE fuel_group = 'renewable'"
    ).fetchone()
    assert found is not None
    assert found[:2] == (18, 21)
    assert round(found[2], 4) == Decimal("22.2222")  # 6 of 27 GW


def test_power_that_is_not_known_is_null_in_each_group(connection: Connection) -> None:
    add_mix(connection, T0)
    add_power(connection, T0, wind=None)
    found = rows(connection, "generation_groups")
    assert [(one["mw"], one["generation_mw"]) for one in found] == [(None, None)] * 5
    assert {one["demand_mw"] for one in found} == {5000}


def test_the_label_of_a_group_names_its_fuels_and_never_low_carbon() -> None:
    assert FUEL_GROUP_LABELS.keys() == FUEL_GROUPS.keys()
    for group, fuels in FUEL_GROUPS.items():
        label = FUEL_GROUP_LABELS[group].lower()
        assert all(fuel in label for fuel in fuels)
        assert "carbon" not in label


def test_a_fuel_has_the_label_of_its_group(connection: Connection) -> None:
    add_mix(connection, T0)
    found = {one["fuel"]: one["fuel_group_label"] for one in rows(connection, "generation_mix")}
    assert found == {
        fuel: FUEL_GROUP_LABELS[group] for group, fuels in FUEL_GROUPS.items() for fuel in fuels
    }
