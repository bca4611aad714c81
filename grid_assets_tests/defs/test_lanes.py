"""Which runs wait for which: lanes, pools, and what a worker of another version may do."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from types import ModuleType

import dagster as dg
import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.definitions import defs
from grid_assets.defs import planning
from grid_assets.defs.asset_metadata import POOLS
from grid_assets.defs.dead_runs import why_failed
from grid_assets.defs.partitions import (
    BACKTEST,
    CYCLES,
    FIRST_IN_QUEUE,
    LANE_TAG,
    PAST,
    lane_tags,
)
from grid_assets.defs.planning import PlannedRun
from grid_assets.defs.resources import WORKER
from grid_assets.telemetry.due import Range
from grid_assets.warehouse.urls import location

TODAY = date(2026, 11, 27)
YESTERDAY = TODAY - timedelta(days=1)


@pytest.mark.parametrize("trigger", CYCLES)
def test_a_cycle_comes_first_in_the_queue(trigger: str) -> None:
    planned = PlannedRun(Range(YESTERDAY, TODAY), [], trigger, "a cycle")
    tags = planned.tags(datetime(2026, 11, 27, 12, tzinfo=UTC))
    assert tags.items() >= FIRST_IN_QUEUE.items()
    assert LANE_TAG not in tags


@pytest.mark.parametrize(
    ("last", "trigger"), [(YESTERDAY, "schedule"), (TODAY, "backfill"), (TODAY, BACKTEST)]
)
def test_what_is_past_has_a_lane_of_its_own(last: date, trigger: str) -> None:
    assert lane_tags(last, trigger, TODAY) == {LANE_TAG: PAST}


def test_what_asks_an_api_or_runs_a_model_has_a_pool() -> None:
    keys = defs.resolve_all_asset_keys()
    found = {key: defs.resolve_assets_def(key) for key in keys}
    pools = {
        ".".join(key.path): asset.op.pool
        for key, asset in found.items()
        if asset.is_executable and asset.op.pool
    }
    assert pools == POOLS
    raw = {f"raw.{asset.key.path[1]}" for asset in (*planning.HISTORY, *planning.OUTLOOK)
           if asset.key.path[0] == "raw"}  # fmt: skip
    assert raw <= POOLS.keys()


def _run_one(warehouse: SecretStr, monkeypatch: pytest.MonkeyPatch) -> tuple[bool, str]:
    """Whether it ended well, and why not."""
    monkeypatch.setenv("GRID_DATABASE_URL", warehouse.get_secret_value())
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def("telemetry").execute_in_process(
            instance=instance,
            asset_selection=[planning.ALERTS[0].key],
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        return result.success, why_failed(instance, result.run_id)


@pytest.mark.parametrize(
    "chosen",
    [
        lambda patch: patch.setitem(sys.modules, WORKER, ModuleType(WORKER)),
        lambda patch: patch.setenv("GRID_RUN_LAUNCHER", "k8s"),
    ],
    ids=["celery", "k8s"],
)
def test_a_worker_of_another_version_refuses_its_run_before_it_writes(
    warehouse: SecretStr,
    connection: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    chosen: Callable[[pytest.MonkeyPatch], None],
) -> None:
    chosen(monkeypatch)
    assert _run_one(warehouse, monkeypatch)[0]
    connection.execute("DELETE FROM ops._yoyo_migration WHERE migration_id LIKE '0027%'")
    success, why = _run_one(warehouse, monkeypatch)
    assert not success
    assert location(warehouse) in why
    attempts = connection.execute("SELECT count(*) FROM ops.etl_runs").fetchone()
    # a run of the code server goes on: telemetry must not wait for a migration
    monkeypatch.delitem(sys.modules, WORKER, raising=False)
    monkeypatch.delenv("GRID_RUN_LAUNCHER", raising=False)
    assert _run_one(warehouse, monkeypatch)[0]
    assert connection.execute("SELECT count(*) FROM ops.etl_runs").fetchone() == attempts
