"""What a demo loads before its first cycle: which days, and NESO's forecasts, simulated."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from grid_assets.cli import demo_history, serve
from grid_assets.forecasting.models import registry
from grid_assets.halfhours import DAY, HALF_HOUR, api_time, day_start
from grid_assets.replay.server import ReplayServer
from grid_assets.runtime.environment import Environment
from grid_assets.settings import Settings
from grid_assets.telemetry.due import Range
from grid_assets.warehouse.connection import Connection

Rows = Callable[..., list[tuple[Any, ...]]]

NOW = datetime.now(UTC)
TODAY = NOW.date()


@pytest.fixture
def environment(warehouse: SecretStr, tmp_path: Path) -> Environment:
    settings = Settings(backtest_days=4, history_start=TODAY - 30 * DAY)
    return Environment(settings, tmp_path, warehouse)


@pytest.mark.parametrize(
    ("forecast_days_ago", "settings", "first_days_ago"),
    [
        ((), {}, 5),
        ((4, 2), {}, 4),
        ((4, 3, 2, 1), {}, None),
        ((), {"backtest_days": 0}, None),
        ((), {"history_start": TODAY - 2 * DAY}, 3),
    ],
    ids=["new", "partly forecast", "all forecast", "no back-test", "short history"],
)
def test_the_days_that_will_be_back_tested_and_the_one_before_them_are_loaded(
    environment: Environment,
    connection: Connection,
    forecast_days_ago: tuple[int, ...],
    settings: dict[str, Any],
    first_days_ago: int | None,
) -> None:
    for name, value in settings.items():
        setattr(environment.settings, name, value)
    for days in forecast_days_ago:
        connection.execute(
            "INSERT INTO forecast.issues (model, issued_at, created_at, revision, "
            "context_missing, context_assumed, known_by) VALUES (%s, %s, %s, 'x', 0, 0, 'capture')",
            [registry.configured_name(None), day_start(TODAY - days * DAY), NOW],
        )
    expected = None if first_days_ago is None else Range(TODAY - first_days_ago * DAY, TODAY)
    assert demo_history.days_to_load(connection, environment, NOW) == expected


def test_nesos_forecasts_are_simulated_as_the_schedule_would_have_captured_them(
    environment: Environment, connection: Connection, replay: ReplayServer, rows: Rows
) -> None:
    days = Range(TODAY - 2 * DAY, TODAY - DAY)
    assert demo_history.capture_neso_forecasts(connection, environment, replay, days) == 16
    first, last, simulated = rows(
        "SELECT min(issued_at), max(issued_at), bool_and(simulated) FROM raw.neso_vintages"
    )[0]
    assert first == day_start(days.first) - timedelta(minutes=18)
    assert last == day_start(TODAY) - timedelta(hours=3, minutes=18)
    assert simulated
    ahead = "SELECT count(*) FROM raw.neso_forecast WHERE issued_at = %s AND period_start >= %s"
    assert rows(ahead, first, day_start(days.first)) == [(95,)]
    # as the API would have answered then
    answered = replay.view.forecast(first - timedelta(minutes=12), first)
    values = {record["from"]: record["intensity"]["forecast"] for record in answered}
    start = day_start(days.first) + 20 * HALF_HOUR
    [(value,)] = rows(
        "SELECT forecast_gco2_kwh FROM raw.neso_forecast "
        "WHERE issued_at = %s AND period_start = %s",
        first,
        start,
    )
    assert value == values[api_time(start)]
    again = demo_history.capture_neso_forecasts(connection, environment, replay, days)
    assert again == 0


def test_what_is_simulated_is_said_once(environment: Environment, replay: ReplayServer) -> None:
    said: list[str] = []
    days = serve._prepare_history(environment, replay, said.append)
    assert re.fullmatch(rf"Simulated \d\d forecasts of NESO for {days}: .*", said[0])
    assert serve._prepare_history(environment, replay, said.append) == days
    assert len(said) == 1
