"""Live data in tests: its stamp, attempts to load it, and `grid` with an API that is no replay."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import pytest

from grid_assets.replay.server import ReplayServer
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.http_stub import Reply, Stub, serving
from grid_assets_tests.running import GridCommand, grid_in_a_new_folder

STAMP: Final = "UPDATE ops.warehouse SET kind = 'live', shift_weeks = NULL, stamped_at = now()"
"""Makes the warehouse of a test, which is for recorded data, a live one that was made just now."""


@pytest.fixture
def grid() -> Iterator[GridCommand]:
    with grid_in_a_new_folder(is_forked=True) as made:
        yield made


@pytest.fixture
def api(replay: ReplayServer) -> Iterator[Stub]:
    """An API served by another program: recorded values in the published format, nothing more.

    So what it says is live data.
    """

    def script(path: str) -> Reply:
        _, answer = replay.endpoints.answer(path, datetime.now(UTC), None)
        return Reply(answer.body, answer.status)

    with serving() as stub:
        stub.script = script
        yield stub


def attempt(
    connection: Connection,
    at: datetime,
    status: str = "failed",
    asset: str = "raw.intensity",
    error: str = "ApiUnavailable",
    trigger: str = "schedule",
) -> None:
    """An attempt of another machine that has ended."""
    fault = (None, None) if status == "success" else (error, f"{asset} did not work.")
    connection.execute(
        "INSERT INTO ops.etl_runs (run_id, asset, attempt, trigger, partition_start, "
        "partition_end, started_at, finished_at, status, error_type, error_message, host, pid, "
        "heartbeat_at) VALUES (%s, %s, 1, %s, %s, %s, %s, %s, %s, %s, %s, 'worker', 1, %s)",
        [secrets.token_hex(8), asset, trigger, at.date(), at.date(), at, at, status, *fault, at],
    )
