"""The page renews itself from the feeds where it is served, in a real browser."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr

from grid_assets.dashboard import page, queries
from grid_assets.dashboard.server import serving
from grid_assets.feeds.documents import documents
from grid_assets.feeds.read import read
from grid_assets.feeds.write import write
from grid_assets.files.store import Folder
from grid_assets.output import DASHBOARD, write_whole
from grid_assets.warehouse.connection import connect
from grid_assets.warehouse.stamp import Stamp
from grid_assets_tests import shared_warehouse
from grid_assets_tests.chromium import chromium as chromium
from grid_assets_tests.chromium import needs_chromium
from grid_assets_tests.dashboard import made_up, places
from grid_assets_tests.running import free_port

pytestmark = needs_chromium

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

NEW_ACTUAL = 42
NEW_REGIONAL = 7


@dataclass(frozen=True)
class Site:
    """The files of a warehouse, as a cycle makes them."""

    warehouse: SecretStr
    folder: Path
    address: str
    cycles: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def make(self, now: datetime, *, page_too: bool = True, regions: bool = True) -> None:
        with connect(self.warehouse) as connection:
            write(Folder(self.folder), documents(read(connection, now, regions=regions), "replay"))
            if page_too:
                found = queries.read(connection, now, regions=regions)
                html = page.render(found, Stamp("replay", 3))
                write_whole(self.folder / DASHBOARD, html)
        # a server tells files apart by the second, and tests make several in one
        later = time.time() + 60 * next(self.cycles)
        written = [*(self.folder / "v1").rglob("*.json"), *([self.folder / DASHBOARD] * page_too)]
        for file in written:
            os.utime(file, (later, later))

    def change(self, now: datetime) -> None:
        """Newer numbers, and another attempt."""
        with connect(self.warehouse) as connection:
            connection.execute("UPDATE core.intensity SET actual_gco2_kwh = %s", [NEW_ACTUAL])
            connection.execute(
                "UPDATE core.regional_intensity SET intensity_gco2_kwh = %s", [NEW_REGIONAL]
            )
        made_up.note_attempt(self.warehouse, "raw.new", now - timedelta(minutes=1))


@pytest.fixture
def site(warehouse: SecretStr, tmp_path: Path) -> Iterator[Site]:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now)
    places.fill(warehouse, now)
    with serving(Folder(tmp_path), free_port()) as address:
        made = Site(warehouse, tmp_path, address)
        made.make(now - timedelta(seconds=2))
        yield made


@pytest.fixture
def shown(site: Site, chromium: Browser) -> Iterator[Page]:
    """The page as served; in the end it has erred nowhere."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    errors: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    try:
        opened.goto(f"{site.address}/{DASHBOARD}")
        expect(opened.locator("#now-intensity")).to_have_text("100")
        yield opened
        assert errors == []
    finally:
        context.close()


def look_again(shown: Page) -> None:
    """As when its tab is opened again: the page then asks at once, not within a minute."""
    shown.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_new_numbers_are_shown_and_what_was_chosen_and_opened_stays(
    site: Site, shown: Page
) -> None:
    shown.locator("[data-region='13']").click()
    shown.get_by_label("Hours", exact=True).fill("2")
    shown.locator("#attempts-table summary").click()
    look_again(shown)  # nothing is new, and nothing changes
    now = datetime.now(UTC)
    site.change(now)
    site.make(now)
    look_again(shown)
    expect(shown.locator("#now-intensity")).to_have_text(str(NEW_REGIONAL))
    expect(shown.locator("#now-place")).to_have_text("London")
    expect(shown.get_by_label("Hours", exact=True)).to_have_value("2")
    expect(shown.locator("#last-attempts")).to_contain_text("raw.new")
    expect(shown.locator("#attempts-table table")).to_be_visible()
    expect(shown.locator("#attempts-chart svg")).to_be_visible()
    expect(shown.locator("#record-table tbody")).to_contain_text(str(NEW_ACTUAL))
    shown.locator("[data-region='0']").click()
    expect(shown.locator("#now-intensity")).to_have_text(str(NEW_ACTUAL))
    expect(shown.locator("#place-accuracy")).not_to_be_empty()


def test_its_numbers_are_those_of_the_feeds_even_if_no_new_page_is_made(
    site: Site, shown: Page
) -> None:
    now = datetime.now(UTC)
    site.change(now)
    site.make(now, page_too=False)
    look_again(shown)
    expect(shown.locator("#now-intensity")).to_have_text(str(NEW_ACTUAL))
    expect(shown.locator("[data-region='5'] .value")).to_have_text(str(NEW_REGIONAL))
    expect(shown.locator("#last-attempts")).not_to_contain_text("raw.new")


def test_feeds_that_are_older_than_the_page_are_not_taken(site: Site, shown: Page) -> None:
    now = datetime.now(UTC)
    site.change(now)
    site.make(now - timedelta(minutes=5), page_too=False)
    look_again(shown)
    shown.wait_for_timeout(1500)  # nothing tells that nothing happens; too short, it would pass
    expect(shown.locator("#now-intensity")).to_have_text("100")


def test_broken_and_missing_feeds_leave_what_was_known(site: Site, shown: Page) -> None:
    now = datetime.now(UTC)
    site.change(now)
    site.make(now)
    region = site.folder / "v1" / "regions" / "5.json"
    region.write_text("{", encoding="utf-8")
    look_again(shown)
    expect(shown.locator("#last-attempts")).to_contain_text("raw.new")  # the page is whole
    expect(shown.locator("#now-intensity")).to_have_text("100")  # all feeds, or none
    site.make(now)
    look_again(shown)
    expect(shown.locator("#now-intensity")).to_have_text(str(NEW_ACTUAL))
    for file in (site.folder / "v1").glob("*.json"):
        file.unlink()
    look_again(shown)
    expect(shown.locator("#now-intensity")).to_have_text(str(NEW_ACTUAL))


def test_feeds_that_are_just_being_written_are_taken_when_all_are_there(
    site: Site, shown: Page
) -> None:
    forecast = site.folder / "v1" / "forecast.json"
    old = forecast.read_text(encoding="utf-8")
    now = datetime.now(UTC)
    site.change(now)
    site.make(now)
    new = forecast.read_text(encoding="utf-8")
    write_whole(forecast, old)
    look_again(shown)
    expect(shown.locator("#last-attempts")).to_contain_text("raw.new")
    expect(shown.locator("#now-intensity")).to_have_text("100")
    write_whole(forecast, new)
    os.utime(forecast, (now.timestamp() + 9,) * 2)  # a server tells files apart by the second
    look_again(shown)
    expect(shown.locator("#now-intensity")).to_have_text(str(NEW_ACTUAL))


def test_regions_that_go_and_come_back_do_not_stop_the_renewal(site: Site, shown: Page) -> None:
    shown.get_by_label("Hours", exact=True).fill("2")
    now = datetime.now(UTC)
    site.change(now)
    site.make(now, regions=False)
    look_again(shown)
    expect(shown.locator("#now-intensity")).to_have_text(str(NEW_ACTUAL))
    expect(shown.locator("#regions-empty")).to_be_visible()
    expect(shown.get_by_label("Hours", exact=True)).to_have_value("2")
    site.make(now + timedelta(seconds=2))
    look_again(shown)
    expect(shown.locator("[data-region='5'] .value")).to_have_text(str(NEW_REGIONAL))
    expect(shown.locator("#forecast-rows tr")).to_have_count(96)


FOCUSED = "document.activeElement.closest('[id]').id + ' ' + document.activeElement.tagName"


@pytest.mark.parametrize(
    "place",
    [
        "#forecast-chart svg",
        "#mix-chart svg",
        "#attempts-table summary",
        "#mix-chart .legend button >> nth=3",
    ],
)
def test_the_focus_and_the_fuel_shown_alone_stay_when_the_page_is_renewed(
    site: Site, shown: Page, place: str
) -> None:
    shown.locator("#mix-chart .legend button").nth(3).click()
    shown.locator(place).focus()
    focused = shown.evaluate(FOCUSED)
    now = datetime.now(UTC)
    site.change(now)
    site.make(now)
    look_again(shown)
    expect(shown.locator("#now-intensity")).to_have_text(str(NEW_ACTUAL))
    expect(shown.locator("#last-attempts")).to_contain_text("raw.new")
    assert shown.evaluate(FOCUSED) == focused
    expect(shown.locator(place)).to_be_focused()
    expect(shown.locator("#mix-chart .faded")).to_have_count(8)
