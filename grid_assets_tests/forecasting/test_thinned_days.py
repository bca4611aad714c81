"""Days that an earlier version has thinned are neither forecast nor scored again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from grid_assets.forecasting import due
from grid_assets.forecasting.retention import DayIsThinned, thinned_to
from grid_assets.forecasting.scoring import score
from grid_assets.halfhours import HALF_HOUR, days_window
from grid_assets.warehouse.connection import Connection, write_transaction
from grid_assets_tests import shared_warehouse
from grid_assets_tests.forecasting import issues
from grid_assets_tests.forecasting.issues import DAY

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

Rows = Callable[..., list[tuple[Any, ...]]]

FIRST = datetime(2024, 3, 1, tzinfo=UTC)
"""The first day with telemetry to forecast from; the three days from it on are thinned."""

NOW = datetime(2024, 3, 6, 9, 7, tzinfo=UTC)
SCORES = "SELECT * FROM forecast.accuracy ORDER BY 1, 2, 3, 4"


@pytest.fixture(autouse=True)
def thinned(warehouse: SecretStr, rows: Rows) -> None:
    """Three thinned days, each with a score that its remaining forecast does not explain."""
    rows("INSERT INTO forecast.thinning (thinned_to) VALUES ('2024-03-04')")
    rows(
        "INSERT INTO forecast.predictions (model, series, period_start, issued_at, created_at, p50)"
        " SELECT 'chronos:a', 'wind', day, day, day, 1 "
        "FROM generate_series(%s, %s::timestamptz, '1 day') AS day",
        FIRST,
        FIRST + 2 * DAY,
    )
    rows(
        "INSERT INTO forecast.accuracy (model, series, target_date, lead_bucket, n, abs_error_sum, "
        "error_sum, abs_actual_sum, n_band, n_inside_80, simulated) "
        "SELECT 'chronos:a', 'wind', period_start, '0-3h', 6, 9, 9, 9, 0, 0, false "
        "FROM forecast.predictions"
    )


def test_a_thinned_day_is_not_forecast_again_and_the_next_one_is(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    issues.fill(warehouse, FIRST - 9 * DAY, FIRST + 5 * DAY)
    assert thinned_to(connection) == (FIRST + 3 * DAY).date()
    with pytest.raises(DayIsThinned, match=r"before 2024-03-04 an earlier .* Start at 2024"):
        issues.issue(warehouse, FIRST + 3 * DAY - HALF_HOUR, backtest=True)
    assert issues.issue(warehouse, FIRST + 3 * DAY, backtest=True).issues == 1
    lacking = due.days_to_backtest(connection, "chronos:new", 9, NOW)
    assert lacking == [(FIRST + n * DAY).date() for n in (3, 4)]


def test_a_run_over_thinned_days_asks_no_model(warehouse: SecretStr) -> None:
    def never() -> Any:
        raise AssertionError("a model was loaded")

    with pytest.raises(DayIsThinned):
        issues.issue(warehouse, FIRST, load=never, backtest=True)


def test_a_day_that_is_marked_while_it_is_forecast_is_not_written(
    warehouse: SecretStr, rows: Rows
) -> None:
    issues.fill(warehouse, FIRST - 9 * DAY, FIRST + 5 * DAY)

    def loads_slowly() -> Any:
        rows("UPDATE forecast.thinning SET thinned_to = '2024-03-05'")
        return issues.loaded(issues.Stub())

    with pytest.raises(DayIsThinned):
        issues.issue(warehouse, FIRST + 3 * DAY, load=loads_slowly, backtest=True)
    assert rows("SELECT DISTINCT model FROM forecast.predictions") == [("chronos:a",)]


def test_scores_of_thinned_days_are_final(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    issues.fill(warehouse, FIRST, FIRST + 5 * DAY)
    before = rows(SCORES)
    days = days_window(FIRST.date(), (FIRST + 4 * DAY).date())
    with write_transaction(connection, "forecast.accuracy"):
        assert score(connection, days, thinned_to(connection)).compared == 0
    assert connection.execute(SCORES).fetchall() == before
    rows("DELETE FROM forecast.archive")
    drop = "SELECT forecast.drop_score_without_forecast('chronos:a', 'wind', %s, '0-3h')"
    assert rows(drop, FIRST.date()) == [(0,)]
    rows("DELETE FROM forecast.thinning")
    assert rows(drop, FIRST.date()) == [(1,)]
