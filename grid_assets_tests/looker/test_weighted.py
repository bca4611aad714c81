"""Measures over rows that rest on unequal numbers of half-hours, and over groups of fuels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.halfhours import DAY, HALF_HOUR
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse
from grid_assets_tests.looker.test_looker import value
from grid_assets_tests.warehouse.half_hours import add_intensity, add_mix, add_power

one_warehouse = shared_warehouse.one_warehouse

MIDNIGHT: Final = datetime(2026, 1, 30, tzinfo=UTC)


@pytest.fixture
def reader(one_warehouse: SecretStr) -> Iterator[Connection]:
    """A whole day, then one half-hour of the last day of the month, then one of the next month."""
    with psycopg.connect(one_warehouse.get_secret_value()) as connection:
        for number in range(48):
            add_intensity(connection, MIDNIGHT + number * HALF_HOUR, 100)
            add_mix(connection, MIDNIGHT + number * HALF_HOUR, wind=30)
            add_power(connection, MIDNIGHT + number * HALF_HOUR, grams=100, demand=1000)
        for number in (1, 2):
            add_intensity(connection, MIDNIGHT + number * DAY, 345)
            add_mix(connection, MIDNIGHT + number * DAY, wind=5)
            add_power(connection, MIDNIGHT + number * DAY, grams=400, demand=24_000, gas=28_000)
        connection.execute("SET LOCAL ROLE grid_reader")
        yield connection
        connection.rollback()


@pytest.mark.parametrize("view", ["daily", "monthly"])
def test_days_and_months_count_by_their_half_hours(reader: Connection, view: str) -> None:
    assert value(reader, view, "total_half_hours") == 50
    assert round(value(reader, view, "average_gco2_kwh"), 2) == Decimal("109.8")
    assert round(value(reader, view, "average_wind_pct"), 3) == 29
    assert round(value(reader, view, "average_zero_carbon_pct"), 3) == 50
    assert value(reader, view, "lowest_gco2_kwh") == 100
    assert value(reader, view, "highest_gco2_kwh") == 345
    expected = {"daily": 3 * 48, "monthly": (31 + 28) * 48}[view]
    assert value(reader, view, "total_half_hours_expected") == expected
    assert round(value(reader, view, "completeness") * expected) == 50


def test_energy_is_summed_over_complete_days_and_weighted_means_over_all(
    reader: Connection,
) -> None:
    assert value(reader, "daily_energy", "total_wind_gwh") == 24
    assert value(reader, "daily_energy", "total_generation_gwh") == 9 * 24
    assert value(reader, "daily_energy", "total_emissions_t") == 9 * 24 * 100
    assert value(reader, "daily_energy", "incomplete") == 2
    assert value(reader, "monthly_energy", "total_wind_gwh") is None
    assert value(reader, "monthly_energy", "incomplete") == 2
    for view in ("daily_energy", "monthly_energy"):
        generation, dirty = 48 * 9 + 2 * 36, 2 * 36
        expected = Decimal(100 * (generation - dirty) + 400 * dirty) / generation
        assert abs(value(reader, view, "generation_weighted") - expected) < Decimal("0.01")
        gas = value(reader, view, "average_gas_energy_pct")
        assert abs(gas - Decimal(100 * (48 + 56)) / generation) < Decimal("0.001")
        # 48 times 1 GW and twice 24
        weighted = value(reader, view, "demand_weighted")
        assert abs(weighted - Decimal("222.5")) < Decimal("0.001")


def test_shares_of_one_group_and_of_several_are_weighted_alike(reader: Connection) -> None:
    def share(measure: str, groups: str) -> Decimal:
        return value(reader, "generation_groups", measure, f"fuel_group IN ({groups})")

    renewable, fossil, both = "'renewable'", "'fossil'", "'renewable', 'fossil'"
    for measure in ("share_pct", "demand_weighted_share_pct", "energy_share_pct"):
        parts = share(measure, renewable) + share(measure, fossil)
        assert abs(share(measure, both) - parts) < Decimal("0.0001")
        assert abs(value(reader, "generation_groups", measure) - 100) < Decimal("0.0001")
    assert share("share_pct", renewable) == 35
    assert share("demand_weighted_share_pct", renewable) == Decimal("23.5")
