"""The dashboard as an asset: when it is made, its output, and that its failure affects no other."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from grid_assets.dashboard import queries
from grid_assets.definitions import defs
from grid_assets.defs import automation, planning
from grid_assets.defs.assets import dashboard
from grid_assets.defs.partitions import range_tags
from grid_assets.forecasting import issuing
from grid_assets.output import write_whole
from grid_assets.replay.server import ReplayServer
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import sql_dir
from grid_assets_tests.dashboard import made_up, places
from grid_assets_tests.defs.conftest import Tables

Make = Callable[..., dg.ExecuteInProcessResult]
PAGE = [dashboard.dashboard.key]
FORECASTS = [asset.key for asset in planning.FORECASTS]


@pytest.fixture
def make(
    warehouse: SecretStr, replay: ReplayServer, kept_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Make:
    """Runs the page, or other assets, for today."""
    monkeypatch.setenv("GRID_DATABASE_URL", warehouse.get_secret_value())
    monkeypatch.setenv("GRID_API_URL", replay.url)
    monkeypatch.setenv("GRID_HOME", str(kept_home))

    def run(assets: list[dg.AssetKey] = PAGE) -> dg.ExecuteInProcessResult:
        today = datetime.now(UTC).date()
        with dg.DagsterInstance.ephemeral() as instance:
            return defs.resolve_job_def("telemetry").execute_in_process(
                instance=instance,
                tags=range_tags(today - timedelta(days=1), today, "tick"),
                asset_selection=assets,
                raise_on_error=False,
                run_config=automation.QUIET_RUN_CONFIG,
            )

    return run


@pytest.fixture
def file(kept_home: Path) -> Path:
    made = kept_home / "files" / "dashboard.html"
    made.unlink(missing_ok=True)
    return made


def answer(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    [event] = [
        event
        for event in result.get_asset_materialization_events()
        if event.asset_key == dashboard.dashboard.key
    ]
    assert event.partition is None  # there is only the newest page, whatever days the run is about
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_it_says_what_it_is() -> None:
    graph = defs.resolve_asset_graph()
    asset = graph.get(dashboard.dashboard.key)
    assert asset.group_name == "files"
    assert asset.kinds == {"python", "html"}
    assert asset.owners == ["team:grid-assets"]
    assert asset.partitions_def is None
    assert isinstance(asset.freshness_policy, dg.FreshnessPolicy)
    text = " ".join((asset.description or "").split())
    for said in ("One file is", "gCO2/kWh", "%", "`reporting`", "re-run", "partitions"):
        assert said in text


def test_it_is_made_from_the_views_that_its_queries_read() -> None:
    assets = {
        ".".join(key.path)
        for key in defs.resolve_asset_graph().get_all_asset_keys()
        if isinstance(key, dg.AssetKey)
    }
    read = {
        name
        for folder in ("dashboard", "feeds")
        for path in (sql_dir() / folder).glob("*.sql")
        for name in re.findall(r"reporting\.\w+", path.read_text(encoding="utf-8"))
    }
    assert sorted(dashboard.SHOWN) == sorted(read & assets)


def test_a_run_leaves_a_whole_page_with_its_path_its_size_and_its_attempt(
    make: Make, file: Path, tables: Tables
) -> None:
    result = make()

    assert result.success
    left = answer(result)
    assert left["path"] == str(file)
    assert left["size_bytes"] == file.stat().st_size
    assert left["data"] == "RECORDED data (replay), not live"
    assert "link" not in left
    assert file.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert [(a.asset, a.status, a.trigger) for a in tables.attempts()] == [
        ("files.dashboard", "success", "tick")
    ]
    # the feeds have a folder of their own
    assert [path.name for path in file.parent.iterdir() if path.is_file()] == ["dashboard.html"]


def test_it_has_the_regions_that_the_feeds_have(
    make: Make, file: Path, warehouse: SecretStr, monkeypatch: pytest.MonkeyPatch
) -> None:
    places.fill(warehouse, datetime.now(UTC))
    for is_on in ("true", "false"):
        monkeypatch.setenv("GRID_REGIONS", is_on)
        assert make().success
        has_regions = '"regions/13.json":' in file.read_text(encoding="utf-8")
        assert has_regions == (is_on == "true")


def test_where_it_is_served_its_metadata_links_to_it(
    make: Make, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRID_FILES_URL", "http://127.0.0.1:3001")
    assert answer(make())["link"] == "http://127.0.0.1:3001/dashboard.html"


def test_the_page_is_made_when_the_forecast_was_refused(
    make: Make, file: Path, tables: Tables, warehouse: SecretStr, connection: Connection
) -> None:
    assert make(FORECASTS).success  # there is no telemetry to forecast from
    assert [(a.asset, a.status) for a in tables.attempts()] == [
        ("forecast.predictions", "success"),
        ("forecast.accuracy", "success"),
        ("files.dashboard", "success"),
        ("files.feeds", "success"),
    ]
    assert file.exists()
    assert not dashboard.dashboard_is_due(connection, datetime.now(UTC), timedelta(0))


def test_a_page_that_fails_leaves_the_old_one_and_the_forecast(
    make: Make, file: Path, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert make().success
    before = file.read_bytes()

    def broken(*arguments: Any, **named: Any) -> None:
        raise RuntimeError("no page today")

    monkeypatch.setattr(queries, "read", broken)
    result = make(FORECASTS)

    assert not result.success
    assert [(a.asset, a.status, a.error_message) for a in tables.attempts()[1:]] == [
        ("forecast.predictions", "success", None),
        ("forecast.accuracy", "success", None),
        ("files.dashboard", "failed", "no page today"),
        ("files.feeds", "success", None),
    ]
    assert file.read_bytes() == before


def test_after_a_forecast_that_failed_the_page_is_due_and_shows_the_failure(
    make: Make,
    file: Path,
    tables: Tables,
    warehouse: SecretStr,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*arguments: Any, **named: Any) -> None:
        raise RuntimeError("no forecast <today>")

    with monkeypatch.context() as patch:
        patch.setattr(issuing, "issue", broken)
        assert not make(FORECASTS).success
    assert [a.asset for a in tables.attempts()] == ["forecast.predictions"]
    assert dashboard.dashboard_is_due(connection, datetime.now(UTC))

    assert make().success
    assert "no forecast &lt;today&gt;" in file.read_text(encoding="utf-8")
    assert not dashboard.dashboard_is_due(connection, datetime.now(UTC), timedelta(0))


def test_a_page_is_due_once_a_run_has_ended_after_it_and_not_at_once_again(
    warehouse: SecretStr,
    connection: Connection,
) -> None:
    now = datetime.now(UTC)

    def due() -> bool:
        return dashboard.dashboard_is_due(connection, now)

    assert not due()  # nothing has run
    made_up.note_attempt(warehouse, "core.intensity", now - timedelta(minutes=30))
    assert due()
    made_up.note_attempt(warehouse, "files.dashboard", now - timedelta(minutes=20))
    assert not due()
    made_up.note_attempt(warehouse, "raw.intensity", now - timedelta(minutes=10))
    assert due()
    made_up.note_attempt(warehouse, "raw.generation", now, running=True)
    assert not due()  # its end will ask


def test_a_page_that_was_tried_a_moment_ago_is_not_due(
    warehouse: SecretStr, connection: Connection
) -> None:
    now = datetime.now(UTC)
    made_up.note_attempt(warehouse, "files.dashboard", now - timedelta(minutes=4), error="disk")
    made_up.note_attempt(warehouse, "core.intensity", now - timedelta(minutes=3))
    assert not dashboard.dashboard_is_due(connection, now)
    assert dashboard.dashboard_is_due(connection, now + timedelta(minutes=2))


def test_what_is_interrupted_while_it_is_written_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "files" / "page.html"
    write_whole(file, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "new, and then something that cannot be written: \ud800")
    assert file.read_text(encoding="utf-8") == "old"
    assert list(file.parent.iterdir()) == [file]
    assert file.stat().st_mode & 0o777 == 0o644
