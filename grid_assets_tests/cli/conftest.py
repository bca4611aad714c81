"""`grid` in its own folder, on a recorded warehouse, and an API served by another program."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from grid_assets.replay.server import ReplayServer
from grid_assets_tests import live
from grid_assets_tests.reading import days_ago
from grid_assets_tests.running import GridCommand

grid, other_api = live.grid, live.api


@pytest.fixture
def recorded(grid: GridCommand, warehouse: SecretStr, replay: ReplayServer) -> GridCommand:
    """`grid` on a migrated, empty, recorded warehouse; reads three days, never retries."""
    grid.environment |= {
        "GRID_DATABASE_URL": warehouse.get_secret_value(),
        "GRID_API_URL": replay.url,
        "GRID_API_RETRY_BUDGET_S": "0",
        "GRID_HISTORY_START": str(days_ago(2)),
    }
    return grid
