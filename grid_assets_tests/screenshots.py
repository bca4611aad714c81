"""The picture of the lineage graph in the documentation, taken from a running product.

    python -m grid_assets_tests.screenshots http://127.0.0.1:3000 docs/images/ui.png

Belongs here: finding a browser, opening it, and the graph with its groups open. Does not belong
here: what a page should show (`test_ui`).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

QUIET: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
"""For containers, and so that the browser talks to nobody but the page's own server."""

GROUPS: Final = ("raw", "core", "forecast", "reporting")
SIZE: Final = {"width": 1500, "height": 900}
WIDE: Final = {"width": 1900, "height": 2300}
"""Room for the whole graph: Dagster draws only what is in sight, and hides details when small."""
SETTLING_MS: Final = 2000
"""Moves of the graph are animated, and nothing tells their end."""


def browser_path() -> str | None:
    """An installed Chromium, None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def browser(executable: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=QUIET)
        try:
            yield opened
        finally:
            opened.close()


def open_lineage(page: Page, ui: str) -> None:
    """Show the whole asset graph, every group open and the side bars closed, on a `WIDE` page."""
    groups = ",".join(f"global@global:{group}" for group in GROUPS)
    page.goto(f"{ui}/asset-groups?expanded={groups}")
    page.get_by_role("button", name="Hide navigation").click()
    page.get_by_placeholder("Jump to…").locator("xpath=following::button[1]").click()
    page.get_by_text(GROUPS[-1], exact=True).first.wait_for()
    page.wait_for_timeout(SETTLING_MS)
    page.get_by_role("button", name="zoom_out").click()
    page.mouse.move(0, 0)
    page.wait_for_timeout(SETTLING_MS)
    page.get_by_text("telemetry_24h").first.wait_for()


def take(ui: str, file: Path, executable: str) -> None:
    """Write the graph as a PNG."""
    with browser(executable) as opened:
        page = opened.new_page(viewport=WIDE)
        open_lineage(page, ui)
        file.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=file)


if __name__ == "__main__":
    found = browser_path()
    if found is None or len(sys.argv) != 3:
        sys.exit("usage: python -m grid_assets_tests.screenshots UI FILE, with Chromium installed")
    take(sys.argv[1], Path(sys.argv[2]), found)
