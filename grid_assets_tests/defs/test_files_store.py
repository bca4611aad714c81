"""The page and the feeds of a run in a bucket, and buckets and addresses that cannot be used."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from grid_assets.definitions import defs
from grid_assets.defs import automation, planning
from grid_assets.defs.assets import raw
from grid_assets.defs.partitions import range_tags
from grid_assets.replay.server import ReplayServer
from grid_assets_tests.defs.conftest import Tables
from grid_assets_tests.files import s3 as servers
from grid_assets_tests.files.s3 import S3

s3, s3_server = servers.s3, servers.s3_server

Make = Callable[[str], dg.ExecuteInProcessResult]
STORE = "s3://grid/files"


@pytest.fixture
def make(
    warehouse: SecretStr, replay: ReplayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Make:
    """A small cycle: intensity, then the page and the feeds, into a store."""
    monkeypatch.setenv("GRID_DATABASE_URL", warehouse.get_secret_value())
    monkeypatch.setenv("GRID_API_URL", replay.url)
    monkeypatch.setenv("GRID_API_RETRY_BUDGET_S", "0")
    monkeypatch.setenv("GRID_HOME", str(tmp_path))

    def run(store: str) -> dg.ExecuteInProcessResult:
        monkeypatch.setenv("GRID_FILES_STORE", store)
        today = datetime.now(UTC).date()
        with dg.DagsterInstance.ephemeral() as instance:
            return defs.resolve_job_def("telemetry").execute_in_process(
                instance=instance,
                tags=range_tags(today, today, "tick"),
                asset_selection=[raw.intensity.key, *(asset.key for asset in planning.FILES)],
                raise_on_error=False,
                run_config=automation.QUIET_RUN_CONFIG,
            )

    return run


def test_a_run_puts_them_into_the_bucket_and_says_where(
    make: Make, s3: S3, tmp_path: Path, tables: Tables
) -> None:
    result = make(STORE)
    assert result.success
    assert {"files/dashboard.html", "files/v1/now.json", "files/v1/metrics.prom"} <= s3.names()
    assert json.loads(s3.text("files/v1/now.json"))["data_kind"] == "replay"
    assert not (tmp_path / "files").exists()
    said: dict[str, Any] = {
        event.asset_key.to_user_string(): event.materialization.metadata["path"].value
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None and event.asset_key.path[0] == "files"
    }
    assert said == {
        "files/feeds": "s3://grid/files/v1",
        "files/dashboard": "s3://grid/files/dashboard.html",
    }


@pytest.mark.parametrize(
    ("store", "cause"),
    [
        (STORE, "refused"),
        ("s3://nobody-has-this/files", "there is no bucket"),
        ("s4://grid/files", "GRID_FILES_STORE"),
        ("relative/files", "GRID_FILES_STORE"),
    ],
)
def test_a_store_that_cannot_be_used_fails_the_files_alone(
    make: Make, s3: S3, tables: Tables, store: str, cause: str
) -> None:
    if cause == "refused":
        with s3.refusing():
            result = make(store)
    else:
        result = make(store)
    assert not result.success
    ended = {attempt.asset: attempt for attempt in tables.attempts()}
    assert {asset: attempt.status for asset, attempt in ended.items()} == {
        "raw.intensity": "success",
        "files.feeds": "failed",
        "files.dashboard": "failed",
    }
    for asset in ("files.feeds", "files.dashboard"):
        assert cause in str(ended[asset].error_message)
        assert servers.SECRET not in str(ended[asset])
