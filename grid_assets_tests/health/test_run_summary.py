"""The line about the newest forecast."""

from __future__ import annotations

import pytest

from grid_assets.health.run_summary import newest_forecast
from grid_assets.warehouse.connection import Connection


@pytest.mark.parametrize("order", [("chronos:old", "chronos:new"), ("chronos:new", "chronos:old")])
def test_after_a_change_of_the_model_the_newest_forecast_is_the_one_made_last(
    connection: Connection, order: tuple[str, str]
) -> None:
    for minutes, model in enumerate(order):
        connection.execute(
            "INSERT INTO forecast.issues (model, issued_at, created_at, revision, context_missing, "
            "context_assumed, known_by) VALUES (%s, date_bin('30 minutes', now(), 'epoch'), "
            "now() + %s * interval '1 minute', 'x', 0, 0, 'capture')",
            [model, minutes - 2],
        )
    assert newest_forecast(connection).startswith(f"Forecast by {order[1]} from ")
