"""What makes `grid demo --once` fail."""

from __future__ import annotations

import pytest

from grid_assets.forecasting.models.champion import TRAINING
from grid_assets.health import contents
from grid_assets.warehouse.connection import Connection


def found(connection: Connection, *, regions: bool = False) -> list[str]:
    return contents.faults(connection, regions=regions)


@pytest.mark.parametrize(("asset", "fails"), [("raw.intensity", True), (TRAINING, False)])
def test_a_demo_fails_where_an_asset_failed_and_not_by_an_interrupted_trial(
    connection: Connection, asset: str, fails: bool
) -> None:
    connection.execute(
        "INSERT INTO ops.etl_runs (run_id, asset, attempt, trigger, partition_start, "
        "partition_end, host, pid, started_at, heartbeat_at, finished_at, status, error_type) "
        "SELECT 'a run', %s, 1, 'manual', today, today, 'here', 1, now(), now(), now(), 'failed', "
        "'KeyboardInterrupt' FROM current_date AS today",
        [asset],
    )
    assert ("the last attempt of an asset did not succeed" in found(connection)) == fails


def test_regions_are_missed_only_where_they_are_captured(connection: Connection) -> None:
    [missed] = set(found(connection, regions=True)) - set(found(connection, regions=False))
    assert missed == "a region has no carbon intensity"
