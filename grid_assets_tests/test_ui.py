"""The UI in a real browser: what an analyst sees and starts there.

Belongs here: pages, clicks, and what they leave in the tables. Does not belong here: starting and
stopping the product (`test_product`).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr

from grid_assets.warehouse.connection import connect
from grid_assets_tests import screenshots
from grid_assets_tests.chromium import chromium as chromium
from grid_assets_tests.chromium import needs_chromium
from grid_assets_tests.running import free_port, grid_in_a_new_folder, wait_until

pytestmark = needs_chromium

RUN_S = 120
"""A run of the UI waits for the queue or the backfill daemon (30 s), then for a process."""

PAGE_MS = 60_000


@dataclass(frozen=True)
class Product:
    """A demo that runs, with nine days and one forecast, and no schedule that comes between."""

    ui: str
    warehouse: SecretStr

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with connect(self.warehouse) as connection:
            return connection.execute(query.encode(), values).fetchall()


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with grid_in_a_new_folder() as grid:
        port = free_port()
        started = grid.start(
            "demo",
            "--port",
            str(port),
            GRID_TELEMETRY_CRON="0 0 1 1 *",
            GRID_HISTORY_START=str(days_ago(8)),
            GRID_BACKTEST_DAYS="0",
        )
        started.says("Ctrl-C stops everything")
        url = SecretStr(grid.run("url", "--demo").out.strip())
        yield Product(f"http://127.0.0.1:{port}", url)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport=screenshots.SIZE)
    context.set_default_timeout(PAGE_MS)
    yield context.new_page()
    context.close()


def days_ago(days: int) -> date:
    return datetime.now(UTC).date() - timedelta(days=days)


def launch(page: Page, partitions: str) -> None:
    """Fill in the dialog that `Materialize` has opened, and start."""
    dialog = page.get_by_role("dialog")
    box = dialog.locator("input[type=text]").first
    box.fill(partitions)
    box.press("Enter")
    button = dialog.get_by_role("button", name="Launch")
    expect(button).to_be_enabled()
    button.click()
    expect(dialog).to_have_count(0, timeout=PAGE_MS)


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
        assert not [row for row in rows if row[0] in ("failed", "crashed")]
        days = sum((row[3] - row[2]).days + 1 for row in rows if row[0] == "success")
        return days == (last - first).days + 1

    return loaded


def test_the_lineage_shows_every_layer_and_no_error(product: Product, page: Page) -> None:
    page.set_viewport_size(screenshots.WIDE)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    screenshots.open_lineage(page, product.ui)
    for group in screenshots.GROUPS:
        expect(page.get_by_text(group, exact=True).first).to_be_visible()
    for asset in ("neso_forecast", "generation_mix_24h", "telemetry", "predictions", "accuracy"):
        expect(page.get_by_text(asset, exact=True).first).to_be_visible()
    assert faults == []


def test_the_picture_for_the_documentation_can_be_taken(product: Product, tmp_path: Path) -> None:
    file = tmp_path / "images" / "ui.png"
    command = [sys.executable, "-m", "grid_assets_tests.screenshots", product.ui, str(file)]
    subprocess.run(command, check=True, timeout=120)
    assert file.read_bytes().startswith(b"\x89PNG")
    assert 50_000 < file.stat().st_size < 600_000


def test_a_past_day_made_by_hand_shows_its_counts_and_its_picture(
    product: Product, page: Page
) -> None:
    day = days_ago(1)
    page.goto(f"{product.ui}/assets/core/generation_mix?view=partitions")
    page.get_by_role("button", name="Materialize").first.click()
    loaded = succeeded(product, "core.generation_mix", day, day)
    launch(page, str(day))
    wait_until(loaded, RUN_S)

    def shown() -> bool:
        page.goto(f"{product.ui}/assets/core/generation_mix?view=partitions&partition={day}")
        metadata = page.get_by_text("dagster/partition_row_count")
        expect(metadata.first).to_be_visible()
        return page.get_by_text("[Show Markdown]").count() > 0

    wait_until(shown, RUN_S)
    for text in ("RECORDED data (replay), not live", f"{day}T00:00Z", f"{day}T23:30Z"):
        expect(page.get_by_text(text, exact=True).first).to_be_visible()
    page.get_by_text("[Show Markdown]").first.click()
    picture = page.locator("img[src^='data:image/png']")
    expect(picture).to_be_visible()
    width = "image => image.decode().then(() => image.naturalWidth)"
    assert picture.evaluate(width) > 300


def test_the_newest_forecast_shows_its_model_and_its_fan_chart(
    product: Product, page: Page
) -> None:
    [(model, issued_at)] = product.rows(
        "SELECT model, issued_at FROM forecast.issues "
        "WHERE model <> 'neso' AND refused_reason IS NULL "
        "ORDER BY issued_at DESC, model LIMIT 1"
    )
    # The issue of the last half-hour of a day starts the next one; the run is about today.
    day = min(issued_at.astimezone(UTC).date(), days_ago(0))
    page.goto(f"{product.ui}/assets/forecast/predictions?view=partitions&partition={day}")
    expect(page.get_by_text(model, exact=True).first).to_be_visible()
    page.get_by_text("[Show Markdown]").first.click()
    picture = page.locator("img[src^='data:image/png']")
    expect(picture).to_be_visible()
    width = "image => image.decode().then(() => image.naturalWidth)"
    assert picture.evaluate(width) > 300


def test_thirty_days_of_one_asset_started_by_hand_are_all_there(
    product: Product, page: Page
) -> None:
    first, last = days_ago(40), days_ago(11)
    page.goto(f"{product.ui}/assets/raw/intensity?view=partitions")
    page.get_by_role("button", name="Materialize").first.click()
    loaded = succeeded(product, "raw.intensity", first, last)
    launch(page, f"[{first}...{last}]")
    wait_until(loaded, RUN_S)
    count = (
        "SELECT count(*), count(DISTINCT period_start) FROM raw.intensity "
        "WHERE period_start >= %s AND period_start < %s"
    )
    assert product.rows(count, first, last + timedelta(days=1)) == [(30 * 48, 30 * 48)]


def test_the_whole_core_group_is_made_again_from_raw(product: Product, page: Page) -> None:
    first, last = days_ago(2), days_ago(1)
    before = product.rows("SELECT * FROM core.generation_mix ORDER BY 1")
    page.goto(f"{product.ui}/locations/grid_assets/asset-groups/core")
    page.get_by_role("button", name="Materialize all").click()
    made = [
        succeeded(product, relation, first, last)
        for relation in ("core.intensity", "core.generation_mix")
    ]
    launch(page, f"[{first}...{last}]")
    for loaded in made:
        wait_until(loaded, RUN_S)
    assert product.rows("SELECT * FROM core.generation_mix ORDER BY 1") == before
