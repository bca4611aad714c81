"""The views by London day and month."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final

import pytest

from grid_assets.halfhours import DAY, london_midnight, settlement
from grid_assets.series import FUELS, NAMED_FUELS
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse
from grid_assets_tests.warehouse.half_hours import (
    add_intensity,
    add_mix,
    add_power,
    of_day,
    row,
    rows,
)

one_warehouse, connection = shared_warehouse.one_warehouse, shared_warehouse.connection

SPRING: Final = date(2025, 3, 30)
AUTUMN: Final = date(2025, 10, 26)
"""Days of 46 and of 50 half-hours."""


# What the days and months rest on


@pytest.mark.parametrize("view", ["daily", "monthly", "daily_energy", "monthly_energy"])
def test_an_empty_warehouse_has_no_days(connection: Connection, view: str) -> None:
    assert rows(connection, view) == []


@pytest.mark.parametrize(("day", "expected"), [(SPRING, 46), (AUTUMN, 50), (date(2025, 7, 1), 48)])
def test_a_day_is_that_of_london_whatever_its_clocks_do(
    connection: Connection, day: date, expected: int
) -> None:
    for number, at in enumerate(of_day(day)):
        add_intensity(connection, at, number)
        add_mix(connection, at)
        add_power(connection, at)
    found = row(connection, "daily")
    assert found["settlement_date"] == day
    assert found["half_hours"] == found["half_hours_expected"] == expected
    assert found["mix_half_hours"] == expected
    assert (found["min_gco2_kwh"], found["max_gco2_kwh"]) == (0, expected - 1)
    assert found["mean_gco2_kwh"] == Decimal(expected - 1) / 2
    energy = row(connection, "daily_energy")
    assert energy["half_hours"] == energy["half_hours_expected"] == expected
    assert energy["generation_gwh"] == Decimal(9 * expected) / 2
    assert energy["emissions_t"] == 9 * expected * 50


@pytest.mark.parametrize(
    ("at", "month", "expected"),
    [
        ("2025-03-31T22:30Z", date(2025, 3, 1), 31 * 48 - 2),
        ("2025-03-31T23:00Z", date(2025, 4, 1), 30 * 48),
        ("2025-10-31T23:30Z", date(2025, 10, 1), 31 * 48 + 2),
        ("2024-02-29T23:30Z", date(2024, 2, 1), 29 * 48),
    ],
)
def test_a_month_begins_and_ends_with_those_of_london(
    connection: Connection, at: str, month: date, expected: int
) -> None:
    add_intensity(connection, datetime.fromisoformat(at))
    add_power(connection, datetime.fromisoformat(at))
    for view in ("monthly", "monthly_energy"):
        found = row(connection, view)
        assert (found["month"], found["half_hours"]) == (month, 1)
        assert found["half_hours_expected"] == expected


def test_holes_of_intensity_and_of_the_mix_are_counted_apart_and_filled_with_nothing(
    connection: Connection,
) -> None:
    for number, at in enumerate(of_day(date(2025, 7, 1))):
        if number < 40:
            add_intensity(connection, at, None if number < 10 else 100 + number % 2)
        if number >= 30:
            add_mix(connection, at, wind=None if number < 39 else 30)
    found = row(connection, "daily")
    assert (found["half_hours"], found["mix_half_hours"]) == (30, 18)
    assert found["mean_gco2_kwh"] == Decimal("100.5")
    assert (found["wind_pct"], found["other_pct"]) == (15, 15), "a share that is null is in other"
    assert found["renewable_pct"] == 15 + 5 + 1


def test_a_day_without_any_half_hour_has_a_row_that_says_so(connection: Connection) -> None:
    add_intensity(connection, london_midnight(date(2025, 7, 1)))
    add_mix(connection, london_midnight(date(2025, 7, 3)))
    first, nothing, last = rows(connection, "daily")
    assert (first["half_hours"], first["mix_half_hours"]) == (1, 0)
    assert (last["half_hours"], last["mix_half_hours"]) == (0, 1)
    assert {name for name, value in nothing.items() if value is not None} == {
        "settlement_date",
        "half_hours",
        "half_hours_expected",
        "mix_half_hours",
    }
    assert first["renewable_pct"] is first["other_pct"] is last["mean_gco2_kwh"] is None


def test_today_is_a_part_of_a_whole_day_and_nothing_counts_before_it_begins(
    connection: Connection,
) -> None:
    answer = connection.execute("SELECT now()").fetchone()
    assert answer is not None
    today = settlement(answer[0])[0]
    whole = list(of_day(today))
    for at in [*whole, *of_day(today + DAY)]:
        add_intensity(connection, at)
        add_mix(connection, at)
        add_power(connection, at)
    begun = sum(at <= answer[0] for at in whole)
    for view in ("daily", "daily_energy"):
        found = row(connection, view)
        assert found["settlement_date"] == today
        assert (found["half_hours"], found["half_hours_expected"]) == (begun, len(whole))


def test_shares_of_a_day_sum_to_exactly_100_and_other_is_never_negative(
    connection: Connection,
) -> None:
    # three means of 12.5666… and nothing left for other: rounding would leave -0.0001
    for number, at in zip(range(3), of_day(date(2025, 7, 1)), strict=False):
        shares = dict.fromkeys(NAMED_FUELS, Decimal("12.5"))
        if number == 0:
            shares |= dict.fromkeys(("gas", "nuclear", "solar"), Decimal("12.7"))
            shares["wind"] = Decimal("11.9")
        add_mix(connection, at, **shares)
    found = row(connection, "daily")
    assert sum(found[f"{fuel}_pct"] for fuel in FUELS) == 100
    assert 0 <= found["other_pct"] <= Decimal("0.0008")
    assert found["gas_pct"] == Decimal("12.5666")


# Energy


def test_a_part_of_a_day_has_shares_and_means_but_no_energy(connection: Connection) -> None:
    *most, last = of_day(AUTUMN)
    for number, at in enumerate(most):
        add_power(connection, at, gas=3000, solar=None if number == 7 else 1000)
        add_intensity(connection, at)
    whole_only = ["generation_gwh", "emissions_t", *(f"{fuel}_gwh" for fuel in FUELS)]
    found = row(connection, "daily_energy")
    assert (found["half_hours"], found["demand_half_hours"]) == (48, 49)
    assert [found[name] for name in whole_only] == [None] * 11
    assert found["mean_generation_mw"] == 11_000
    assert found["gas_energy_pct"] == Decimal("27.2727")
    add_power(connection, last)
    assert row(connection, "daily_energy")["generation_gwh"] is None, "one is still not known"
    connection.execute(
        "UPDATE core.generation_mw SET solar_mw = 1000, recomputed_gco2_kwh = 100 "
        "WHERE solar_mw IS NULL"
    )
    found = row(connection, "daily_energy")
    assert None not in [found[name] for name in whole_only]
    assert found["gas_gwh"] == (49 * 3 + 1) / Decimal(2)
    assert sum(found[f"{fuel}_gwh"] for fuel in FUELS) == found["generation_gwh"]


def test_intensities_are_weighted_by_generation_and_by_demand(connection: Connection) -> None:
    first, second, third, *_ = of_day(date(2025, 7, 1))
    add_power(connection, first, grams=100, demand=10_000)
    add_power(connection, second, grams=200, demand=30_000, gas=10_000)
    add_power(connection, third, grams=900, demand=None, wind=None)
    for at, actual in ((first, 90), (second, 190), (third, 900)):
        add_intensity(connection, at, actual)
    for view in ("daily_energy", "monthly_energy"):
        found = row(connection, view)
        assert (found["half_hours"], found["demand_half_hours"]) == (2, 2)
        assert found["generation_weighted_gco2_kwh"] == Decimal("166.667")  # of 9 and 18 GW
        assert found["demand_weighted_gco2_kwh"] == 165
        assert found["mean_demand_mw"] == 20_000
