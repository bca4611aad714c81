"""`grid` in its own folder, on a recorded warehouse, and an API served by another program."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from grid_assets.replay.server import ReplayServer
from grid_assets_tests.http_stub import Reply, Stub, serving
from grid_assets_tests.reading import days_ago
from grid_assets_tests.running import (
    GridCommand,
    grid_in_a_new_folder,
)


@pytest.fixture
def grid() -> Iterator[GridCommand]:
    with grid_in_a_new_folder(is_forked=True) as made:
        yield made


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


@pytest.fixture
def other_api(replay: ReplayServer) -> Iterator[Stub]:
    """An API served by another program: recorded values in the published format, nothing more."""

    def script(path: str) -> Reply:
        _, answer = replay.endpoints.answer(path, datetime.now(UTC), None)
        return Reply(answer.body, answer.status)

    with serving() as stub:
        stub.script = script
        yield stub
