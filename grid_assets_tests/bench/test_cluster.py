"""What the proof with two workers compares: all values, but not the order of different half-hours.

Its machines need an otherwise idle computer, and are tried by `make bench`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from bench.sandbox import bench_sql
from grid_assets.halfhours import DAY, HALF_HOUR
from grid_assets.warehouse.connection import connect

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
Value = tuple[datetime, int, float]


def contents(url: SecretStr, values: Sequence[Value]) -> dict[str, tuple[Any, ...]]:
    """Store intensities in this order; what the proof sees of them."""
    with connect(url) as connection:
        for period_start, forecast, hours in values:
            connection.execute(
                "INSERT INTO raw.intensity (period_start, captured_at, forecast_gco2_kwh) "
                "VALUES (%s, %s, %s)",
                [period_start, period_start + timedelta(hours=hours), forecast],
            )
        days = {"first": FIRST.date(), "last": FIRST.date(), "backtest": FIRST.date()}
        found = connection.execute(bench_sql("cluster_contents"), days).fetchall()
    return {name: tuple(rest) for name, *rest in found}


def test_days_may_come_in_another_order_but_not_with_other_values(
    new_database: Callable[[str | None], SecretStr], template: str
) -> None:
    one = (FIRST, 100, 1), (FIRST, 110, 2)
    other = ((FIRST + HALF_HOUR, 120, 1),)
    beyond = ((FIRST + DAY, 130, 1),)
    ways: list[tuple[Value, ...]] = [
        (*one, *other, *beyond),
        (*other, *one),
        (one[1], one[0], *other),  # the older value came last, and is the newest now
        (*one, (FIRST + HALF_HOUR, 121, 1)),
        one,
    ]
    same, again, *different = (contents(new_database(template), way) for way in ways)
    assert same == again
    assert same["raw.intensity"][1] == 3
    assert same not in different
