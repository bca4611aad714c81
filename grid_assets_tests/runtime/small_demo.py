"""A demo with little to forecast, so that tests do not wait for a model."""

from __future__ import annotations

from datetime import UTC, datetime

from grid_assets.halfhours import HALF_HOUR

FEW_BACK_TESTS = {"GRID_BACKTEST_DAYS": "1", "GRID_BACKTEST_STRIDE_HOURS": "12"}
"""Two issues of yesterday beside the newest one, so that tests do not wait for a model."""

NEWEST_FORECAST = (
    "SELECT model, count(*), count(DISTINCT series), count(DISTINCT period_start), "
    "bool_and(p10 <= p50 AND p50 <= p90), min(period_start) = min(issued_at) "
    "FROM forecast.predictions WHERE model <> 'neso' AND issued_at = "
    "(SELECT max(issued_at) FROM forecast.predictions WHERE model <> 'neso') GROUP BY 1 ORDER BY 1"
)


def history_start() -> str:
    """Eight days and today: little more than the week that a forecast is made from."""
    return str((datetime.now(UTC) - 8 * 48 * HALF_HOUR).date())
