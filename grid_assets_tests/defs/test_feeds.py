"""The feeds as an asset: made in a run, and a failure of the page or of the feeds is its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from grid_assets.dashboard import queries
from grid_assets.definitions import defs
from grid_assets.defs import automation, planning
from grid_assets.defs.assets import dashboard, feeds
from grid_assets.defs.partitions import range_tags
from grid_assets.replay.server import ReplayServer
from grid_assets_tests.defs.conftest import Tables

Make = Callable[[], dg.ExecuteInProcessResult]
BOTH = [asset.key for asset in planning.FILES]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    return made


@pytest.fixture
def make(
    warehouse: SecretStr, replay: ReplayServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Make:
    """Runs the feeds and the page, as a cycle does at its end."""
    monkeypatch.setenv("GRID_DATABASE_URL", warehouse.get_secret_value())
    monkeypatch.setenv("GRID_API_URL", replay.url)
    monkeypatch.setenv("GRID_HOME", str(home))

    def run() -> dg.ExecuteInProcessResult:
        today = datetime.now(UTC).date()
        with dg.DagsterInstance.ephemeral() as instance:
            return defs.resolve_job_def("telemetry").execute_in_process(
                instance=instance,
                tags=range_tags(today, today, "tick"),
                asset_selection=BOTH,
                raise_on_error=False,
                run_config=automation.QUIET_RUN_CONFIG,
            )

    return run


def broken(*arguments: Any, **options: Any) -> None:
    raise RuntimeError("not today")


def ended(tables: Tables) -> set[tuple[str, str]]:
    return {(attempt.asset, attempt.status) for attempt in tables.attempts()}


def test_a_run_leaves_them_with_their_path_their_size_and_their_attempt(
    make: Make, home: Path, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRID_FILES_URL", "http://127.0.0.1:3001")
    result = make()
    assert result.success
    [event] = [
        event
        for event in result.get_asset_materialization_events()
        if event.asset_key == feeds.feeds.key
    ]
    assert event.partition is None  # there are only the newest, whatever days the run is about
    left = {name: value.value for name, value in event.materialization.metadata.items()}
    folder = home / "files" / "v1"
    assert left["path"] == str(folder)
    assert left["link"] == "http://127.0.0.1:3001/v1/now.json"
    assert left["data"] == "RECORDED data (replay), not live"
    assert left["size_bytes"] == sum(file.stat().st_size for file in folder.rglob("*.*"))
    now = json.loads((folder / "now.json").read_text(encoding="utf-8"))
    assert now["data_kind"] == "replay"
    assert now["regions"] == []  # none was captured
    assert ended(tables) == {("files.feeds", "success"), ("files.dashboard", "success")}


def test_feeds_that_fail_leave_the_old_ones_and_the_page(
    make: Make, home: Path, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert make().success
    page, feed = home / "files" / "dashboard.html", home / "files" / "v1" / "now.json"
    before = feed.read_bytes()
    page.unlink()
    monkeypatch.setattr(feeds, "read", broken)
    assert not make().success
    assert ended(tables) >= {("files.feeds", "failed")}
    assert page.exists()
    assert feed.read_bytes() == before


def test_a_page_that_fails_does_not_hold_up_the_feeds(
    make: Make, home: Path, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "read", broken)
    assert not make().success
    assert ended(tables) == {("files.feeds", "success"), ("files.dashboard", "failed")}
    assert (home / "files" / "v1" / "now.json").exists()


def test_all_else_of_a_run_comes_before_the_files() -> None:
    def priority(asset: dg.AssetsDefinition) -> int:
        return int(asset.op.tags.get("dagster/priority", 0))

    others = {*planning.HISTORY, *planning.CORE, *planning.FORECASTS} - {*planning.FILES}
    assert {priority(asset) for asset in planning.FILES} == {priority(dashboard.dashboard)}
    assert max(map(priority, planning.FILES)) < min(map(priority, others))


def test_files_of_regions_go_when_regions_are_switched_off(
    make: Make,
    home: Path,
    rows: Callable[..., list[tuple[Any, ...]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows(
        "INSERT INTO core.regional_intensity (region_id, period_start, intensity_gco2_kwh) "
        "SELECT region_id, date_bin('30 minutes', now() - interval '1 hour', 'epoch'), 100 "
        "FROM core.regions"
    )
    folder = home / "files" / "v1" / "regions"
    monkeypatch.setenv("GRID_REGIONS", "true")
    assert make().success
    assert {file.name for file in folder.iterdir()} == {f"{n}.json" for n in range(1, 19)}
    monkeypatch.setenv("GRID_REGIONS", "false")
    assert make().success
    assert list(folder.iterdir()) == []
    now = json.loads((folder.parent / "now.json").read_text(encoding="utf-8"))
    assert now["regions"] == []
