"""Dagster's UI of a running product: its contents, runs started there by an analyst, and its page.

The tests ask the GraphQL API that every page of the UI is made from, so they do not depend on
where Dagster draws something. One test opens the page in a browser.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
import psutil
import pytest
from playwright.sync_api import Browser, expect
from pydantic import SecretStr

from grid_assets.definitions import defs
from grid_assets.defs import planning
from grid_assets.runtime.supervisor import MARK
from grid_assets.warehouse.connection import connect
from grid_assets_tests import screenshots
from grid_assets_tests.chromium import chromium as chromium
from grid_assets_tests.chromium import needs_chromium
from grid_assets_tests.reading import days_ago
from grid_assets_tests.running import ask_dagster, free_port, grid_in_a_new_folder, wait_until
from grid_assets_tests.supabase.edge import edge_function

RUN_S = 240
"""A run of the UI waits for the queue or the backfill daemon (30 s), then for a process."""

PAGE_MS = 60_000


@dataclass(frozen=True)
class Product:
    """A running demo that holds three days, with no schedule that interferes."""

    ui: str
    warehouse: SecretStr

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with connect(self.warehouse) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def ask(self, query: str, **variables: Any) -> Any:
        return ask_dagster(self.ui, query, **variables)


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with grid_in_a_new_folder() as grid:
        port = free_port()
        started = grid.start(
            "demo",
            "--port",
            str(port),
            GRID_TELEMETRY_CRON="0 0 1 1 *",
            GRID_HISTORY_START=str(days_ago(2)),
            GRID_BACKTEST_DAYS="0",
        )
        started.says("Ctrl-C stops everything")
        url = SecretStr(grid.run("url", "--demo").out.strip())
        yield Product(f"http://127.0.0.1:{port}", url)


def launch(product: Product, first: date, last: date, *relations: str) -> None:
    """Materialise days of assets, as the dialog of the UI does."""
    days = [str(first + timedelta(days=n)) for n in range((last - first).days + 1)]
    answer = product.ask(
        "mutation ($backfill: LaunchBackfillParams!) { launchPartitionBackfill"
        "(backfillParams: $backfill) { __typename ... on PythonError { message } } }",
        backfill={
            "assetSelection": [{"path": relation.split(".")} for relation in relations],
            "partitionNames": days,
        },
    )
    assert answer["launchPartitionBackfill"] == {"__typename": "LaunchBackfillSuccess"}


def succeeded(product: Product, relation: str, first: date, last: date) -> Callable[[], bool]:
    """Whether runs started by hand from now on have loaded these days, however divided."""
    [(before,)] = product.rows("SELECT clock_timestamp()")

    def loaded() -> bool:
        rows = product.rows(
            "SELECT status, error_message, partition_start, partition_end FROM ops.etl_runs "
            "WHERE asset = %s AND trigger = 'manual' "
            "AND started_at > %s AND partition_start >= %s AND partition_end <= %s",
            relation,
            before,
            first,
            last,
        )
        assert [row for row in rows if row[0] in ("failed", "crashed")] == []
        days = sum((row[3] - row[2]).days + 1 for row in rows if row[0] == "success")
        return days == (last - first).days + 1

    return loaded


def make(product: Product, first: date, last: date, *relations: str) -> None:
    """Materialise days of assets by hand, and wait until they are there."""
    waits = [succeeded(product, relation, first, last) for relation in relations]
    launch(product, first, last, *relations)
    for loaded in waits:
        wait_until(loaded, RUN_S, f"{relations} from {first} to {last} by hand")


def test_the_ui_loads_every_asset_check_schedule_and_sensor_without_an_error(
    product: Product,
) -> None:
    answer = product.ask(
        "{ workspaceOrError { ... on Workspace { locationEntries { loadStatus "
        "locationOrLoadError { __typename ... on PythonError { message } } } } } "
        "assetNodes { assetKey { path } groupName "
        "assetChecksOrError { ... on AssetChecks { checks { name } } } } "
        "repositoriesOrError { ... on RepositoryConnection { nodes "
        "{ schedules { name } sensors { name } } } } }"
    )
    assert answer["workspaceOrError"]["locationEntries"] == [
        {"loadStatus": "LOADED", "locationOrLoadError": {"__typename": "RepositoryLocation"}}
    ]
    repository = defs.get_repository_def()
    graph = repository.asset_graph
    groups = {tuple(node["assetKey"]["path"]): node["groupName"] for node in answer["assetNodes"]}
    assert groups == {
        tuple(key.path): graph.get(key).group_name for key in graph.get_all_asset_keys()
    }
    assert set(groups.values()) == set(screenshots.GROUPS)
    checks = {
        dg.AssetCheckKey(dg.AssetKey(node["assetKey"]["path"]), check["name"])
        for node in answer["assetNodes"]
        for check in node["assetChecksOrError"]["checks"]
    }
    assert checks == graph.asset_check_keys
    assert checks
    [found] = answer["repositoriesOrError"]["nodes"]
    for kind, names in (
        ("schedules", {each.name for each in repository.schedule_defs}),
        ("sensors", {each.name for each in repository.sensor_defs}),
    ):
        assert {each["name"] for each in found[kind]} >= names
        assert names


def test_views_are_not_judged_and_what_cannot_be_filled_has_no_partitions(
    product: Product,
) -> None:
    answer = product.ask(
        "{ assetNodes { assetKey { path } description isPartitioned "
        "internalFreshnessPolicy { __typename } "
        "metadataEntries { ... on TableSchemaMetadataEntry "
        "{ schema { columns { name description } } } } } }"
    )
    nodes = {"/".join(node["assetKey"]["path"]): node for node in answer["assetNodes"]}
    views = [node for key, node in nodes.items() if key.startswith("reporting/")]
    assert views
    for node in views:
        assert node["internalFreshnessPolicy"] is None
        assert node["description"].startswith("One row is one ")
    assert nodes["core/intensity"]["internalFreshnessPolicy"] is not None
    assert nodes["core/intensity"]["isPartitioned"]
    assert not nodes["raw/neso_forecast"]["isPartitioned"]
    [model] = [
        column["description"]
        for entry in nodes["forecast/predictions"]["metadataEntries"]
        for column in entry.get("schema", {}).get("columns", [])
        if column["name"] == "model"
    ]
    assert "`chronos:<checkpoint>`" in model


def test_while_nothing_is_due_no_connection_is_opened_and_one_code_server_runs(
    product: Product,
) -> None:
    last = "SELECT count(*) FROM dagster.runs WHERE status NOT IN ('SUCCESS', 'FAILURE') "
    ended = "OR end_time > extract(epoch FROM now()) - 12"
    with connect(product.warehouse) as connection:
        counted = "SELECT sum(sessions) FROM pg_stat_database"

        def idle() -> bool:
            return connection.execute((last + ended).encode()).fetchone() == (0,)

        wait_until(idle, RUN_S, "runs that end", most_s=1)
        before = connection.execute(counted.encode()).fetchone()
        time.sleep(20)  # the sensor looks four times, the queue twenty times
        after = connection.execute(counted.encode()).fetchone()
    assert before is not None
    assert after is not None
    assert after[0] - before[0] <= 4  # it was 28
    [home] = {
        process.info["environ"].get(MARK)
        for process in psutil.process_iter(["environ", "cmdline"])
        if process.info["environ"] and f"{urlsplit(product.ui).port}" in process.info["cmdline"]
    } - {None}
    servers = [
        process
        for process in psutil.process_iter(["environ", "cmdline"])
        if (process.info["environ"] or {}).get(MARK) == home
        and "grpc" in (process.info["cmdline"] or ())
    ]
    assert len(servers) == 1


@needs_chromium
def test_the_page_opens_and_shows_an_asset_without_an_error(
    product: Product, chromium: Browser
) -> None:
    page = chromium.new_page(viewport=screenshots.SIZE)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{product.ui}/assets/core/generation_mix")
    expect(page.get_by_text("generation_mix").first).to_be_visible(timeout=PAGE_MS)
    assert faults == []
    page.close()


def test_a_past_day_made_by_hand_shows_its_counts_and_its_picture(product: Product) -> None:
    day = days_ago(1)
    make(product, day, day, "core.generation_mix")

    def metadata() -> dict[str, Any]:
        """The newest of the day, by label."""
        answer = product.ask(
            "query ($key: AssetKeyInput!, $day: String!) { assetNodeOrError(assetKey: $key) "
            "{ ... on AssetNode { assetMaterializations(partitions: [$day], limit: 1) "
            "{ metadataEntries { label ... on TextMetadataEntry { text } "
            "... on IntMetadataEntry { intValue } "
            "... on MarkdownMetadataEntry { mdStr } } } } } }",
            key={"path": ["core", "generation_mix"]},
            day=str(day),
        )
        newest = answer["assetNodeOrError"]["assetMaterializations"]
        return {
            entry["label"]: next((value for name, value in entry.items() if name != "label"), None)
            for each in newest
            for entry in each["metadataEntries"]
        }

    # The table is committed before Dagster has noted the materialisation.
    wait_until(lambda: "picture" in metadata(), RUN_S, lambda: f"a picture in {metadata()}")
    shown = metadata()
    assert shown["dagster/partition_row_count"] == 48
    assert {"RECORDED data (replay), not live", f"{day}T00:00Z", f"{day}T23:30Z"} <= set(
        map(str, shown.values())
    )
    image = re.search(r"\(data:image/png;base64,([A-Za-z0-9+/=]+)\)", shown["picture"])
    assert image is not None
    assert base64.b64decode(image[1]).startswith(b"\x89PNG")


def test_thirty_days_of_one_asset_started_by_hand_are_all_there(product: Product) -> None:
    first, last = days_ago(40), days_ago(11)
    make(product, first, last, "raw.intensity")
    assert product.rows(
        "SELECT count(*), count(DISTINCT period_start) FROM raw.intensity "
        "WHERE period_start >= %s AND period_start < %s",
        first,
        last + timedelta(days=1),
    ) == [(30 * 48, 30 * 48)]


def test_the_whole_core_group_is_made_again_from_raw(product: Product) -> None:
    before = product.rows("SELECT * FROM core.generation_mix ORDER BY 1")
    make(product, days_ago(2), days_ago(1), "core.intensity", "core.generation_mix")
    assert product.rows("SELECT * FROM core.generation_mix ORDER BY 1") == before


@contextmanager
def without_the_sensor(product: Product) -> Iterator[None]:
    """It looks every five seconds, and would start the forecast first."""
    name = "new_telemetry"
    selector = {
        "repositoryName": "__repository__",
        "repositoryLocationName": "grid_assets",
        "sensorName": name,
    }
    found = product.ask(
        "query ($selector: SensorSelector!) { sensorOrError(sensorSelector: $selector) "
        "{ ... on Sensor { sensorState { id } } } }",
        selector=selector,
    )
    product.ask(
        "mutation ($id: String) { stopSensor(id: $id) { __typename } }",
        id=found["sensorOrError"]["sensorState"]["id"],
    )
    try:
        yield
    finally:
        product.ask(
            "mutation ($selector: SensorSelector!) "
            "{ startSensor(sensorSelector: $selector) { __typename } }",
            selector=selector,
        )


def test_the_edge_function_starts_one_forecast_of_the_newest_days_here(
    product: Product, tmp_path: Path
) -> None:
    with (
        without_the_sensor(product),
        edge_function(tmp_path, product.warehouse, GRID_DAGSTER_URL=product.ui) as edge,
    ):
        with connect(product.warehouse) as connection:
            connection.execute("UPDATE forecast.issues SET intensity_to = NULL, mix_to = NULL")
        answers = [edge.wake().json() for _ in range(3)]
        token = answers[0].get("token")
        assert answers == [
            {"decision": "start", "by": "dagster", "token": token, "reported": True},
            {"decision": "claimed"},
            {"decision": "claimed"},
        ]
        [run] = product.ask(
            "query ($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs { results "
            "{ runId assetSelection { path } tags { key value } } } } }",
            filter={"tags": [{"key": "grid/wakeup", "value": token}]},
        )["runsOrError"]["results"]
        selected = {"/".join(each["path"]) for each in run["assetSelection"]}
        planned = (*planning.FORECASTS, *planning.ALERTS)
        assert selected == {asset.key.to_user_string() for asset in planned}
        attempts = (
            "SELECT status FROM ops.etl_runs WHERE run_id::text = %s "
            "AND trigger = 'webhook' AND asset = 'files.dashboard'"
        )
        wait_until(
            lambda: product.rows(attempts, run["runId"]) == [("success",)],
            RUN_S,
            lambda: str(product.rows("SELECT * FROM ops.etl_runs WHERE trigger = 'webhook'")),
        )
        assert edge.wake("cron").json() == {"decision": "up_to_date"}
    assert product.rows("SELECT wakeup::text, source, status, started_by FROM ops.wakeups") == [
        (token, "webhook", "answered", "dagster")
    ]
