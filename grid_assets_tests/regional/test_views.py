"""What BI reads of the regions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.regions import REGIONS
from grid_assets.series import FUELS, INTENSITY, SERIES
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.regional.conftest import LONDON, T0, Load, row

GROUPS: Final = "renewable_pct, zero_carbon_pct, fossil_pct, total_pct"


def put(connection: Connection, start: datetime, region: int = LONDON, **values: Any) -> None:
    """A half-hour with carbon intensity, a mix, or both."""
    intensity = values.pop("intensity", None)
    if intensity is not None:
        connection.execute(
            "INSERT INTO core.regional_intensity (region_id, period_start, intensity_gco2_kwh) "
            "VALUES (%s, %s, %s)",
            [region, start, intensity],
        )
    if values:
        shares = {fuel: 0 for fuel in FUELS if fuel != "other"} | values
        columns = ", ".join(f"{fuel}_pct" for fuel in shares)
        connection.execute(
            f"INSERT INTO core.regional_mix (region_id, period_start, {columns}) "  # noqa: S608
            f"VALUES (%s, %s{', %s' * len(shares)})".encode(),
            [region, start, *shares.values()],
        )


def read(connection: Connection, query: str, *values: Any) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode(), values or None).fetchall()


def test_a_half_hour_with_either_is_shown_and_groups_add_up(connection: Connection) -> None:
    put(connection, T0, intensity=0)
    put(connection, T0 + HALF_HOUR, wind=30, solar=5, hydro=1, nuclear=15, gas=30, biomass=9)
    put(connection, T0 + 2 * HALF_HOUR, intensity=77, coal=100)
    put(connection, T0, region=18, intensity=200)
    assert read(
        connection,
        f"SELECT period_start, intensity_gco2_kwh, other_pct, {GROUPS} "  # noqa: S608
        "FROM reporting.regional_telemetry WHERE region_id = %s ORDER BY period_start",
        LONDON,
    ) == [
        (T0, 0, *[None] * 5),
        (T0 + HALF_HOUR, None, 10, 36, 51, 30, 100),
        (T0 + 2 * HALF_HOUR, 77, 0, 0, 0, 100, 100),
    ]
    names = "SELECT DISTINCT region_id, short_name FROM reporting.regional_telemetry ORDER BY 1"
    assert read(connection, names) == [(13, "London"), (18, "GB")]


def test_a_null_share_counts_as_nothing_in_its_group(connection: Connection) -> None:
    put(connection, T0, wind=30, solar=None, hydro=None, gas=40)
    assert read(connection, f"SELECT {GROUPS} FROM reporting.regional_telemetry") == [  # noqa: S608
        (30, 30, 40, 100)
    ]


@pytest.mark.parametrize(
    ("start", "london", "period"),
    [
        ("2026-06-01T23:00Z", "2026-06-02 00:00", 1),
        ("2026-03-29T01:00Z", "2026-03-29 02:00", 3),  # the hour from 01:00 is left out
        ("2026-10-25T00:30Z", "2026-10-25 01:30", 4),  # the hour from 01:00 comes twice
        ("2026-10-25T01:30Z", "2026-10-25 01:30", 6),
    ],
)
def test_london_time_and_settlement_periods_are_right_when_the_clocks_change(
    connection: Connection, start: str, london: str, period: int
) -> None:
    put(connection, datetime.fromisoformat(start), intensity=1)
    assert read(
        connection,
        "SELECT to_char(period_start_london, 'YYYY-MM-DD HH24:MI'), settlement_date::text, "
        "settlement_period FROM reporting.regional_telemetry",
    ) == [(london, london[:10], period)]


def test_now_has_one_row_for_each_region_with_the_newest_half_hour_of_either(
    connection: Connection,
) -> None:
    now = floor(datetime.now(UTC))
    put(connection, now - 2 * HALF_HOUR, 1, intensity=50, wind=100)
    put(connection, now - HALF_HOUR, 1, intensity=60)
    put(connection, now - 5 * HALF_HOUR, 2, wind=100)
    put(connection, now + timedelta(days=400), 3, intensity=70)  # by a wrong clock
    found = {
        one[0]: one[1:]
        for one in read(
            connection,
            "SELECT region_id, short_name, period_start, intensity_gco2_kwh, wind_pct, simulated "
            "FROM reporting.regional_now",
        )
    }
    assert found.keys() == {one.region_id for one in REGIONS}
    assert found[1] == ("North Scotland", now - HALF_HOUR, 60, None, False)
    assert found[2] == ("South Scotland", now - 5 * HALF_HOUR, None, 100, False)
    assert found[3] == ("North West England", None, None, None, None)


def test_the_last_24_hours_are_the_newest_of_telemetry(connection: Connection) -> None:
    now = floor(datetime.now(UTC))
    for ago in (0, 10, 47, 48, 49, 60):
        put(connection, now - ago * HALF_HOUR, 18, intensity=ago)
    found = read(connection, "SELECT intensity_gco2_kwh FROM reporting.regional_24h ORDER BY 1")
    assert found in ([(0,), (10,), (47,)], [(0,), (10,), (47,), (48,)])  # exactly on the half-hour


def rows_read(plan: dict[str, Any]) -> float:
    """Rows that a plan read from the tables of regions."""
    own = 0
    if plan.get("Relation Name", "").startswith("regional_"):
        own = plan["Actual Rows"] * plan["Actual Loops"]
    return own + sum(rows_read(inner) for inner in plan.get("Plans", ()))


MOST_READ: Final = {
    "SELECT * FROM reporting.regional_now": 18 * 6,
    "SELECT * FROM reporting.regional_now WHERE region_id = 13": 6,
}
"""Queries, and the most rows of tables that one may read."""


def test_now_is_found_without_reading_history(connection: Connection) -> None:
    connection.execute(
        "INSERT INTO core.regional_intensity (region_id, period_start) "
        "SELECT region_id, date_bin('30 min', now(), 'epoch') - n * interval '30 minutes' "
        "FROM core.regions, generate_series(0, 40 * 48) AS n"
    )
    connection.execute(
        "INSERT INTO core.regional_mix (region_id, period_start) "
        "SELECT region_id, period_start FROM core.regional_intensity"
    )
    connection.execute("ANALYZE core.regional_intensity, core.regional_mix")
    for query, most in MOST_READ.items():
        [(found,)] = read(connection, f"EXPLAIN (ANALYZE, FORMAT json) {query}")
        assert rows_read(found[0]["Plan"]) <= most, query


def test_every_series_of_a_region_is_forecast_as_published(
    connection: Connection, capture: Load
) -> None:
    now = datetime.now(UTC)
    ahead = floor(now) + HALF_HOUR
    shares: dict[str, Any] = {fuel: 10 * number + 0.7 for number, fuel in enumerate(FUELS)}
    capture(row(ahead, forecast=123, **shares), row(ahead, region=12, forecast=7), at=now)
    found = read(
        connection,
        "SELECT series, p50, unit, period_start, issued_at, model "
        "FROM reporting.regional_forecast_latest WHERE short_name = 'London'",
    )
    [when] = {one[3:] for one in found}
    assert when == (ahead, now, "neso")
    units = {series: "gCO2/kWh" if series == INTENSITY else "%" for series in SERIES}
    assert {series: unit for series, _, unit, *_ in found} == units
    assert {series: float(value) for series, value, *_ in found} == {INTENSITY: 123, **shares}
