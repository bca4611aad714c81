"""The pictures in the documentation: the lineage graph of a running product, and a dashboard.

    python -m grid_assets_tests.screenshots http://127.0.0.1:3000 docs/images/ui.png
    python -m grid_assets_tests.screenshots dashboard.html docs/images/dashboard.png

The graph is taken with its groups open, the dashboard from the top down to its main panels.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, ViewportSize, sync_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

QUIET_RUN_CONFIG: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
"""For containers, and so that the browser talks to nobody but the page's own server."""

GROUPS: Final = ("raw", "core", "forecast", "reporting", "ops", "files")
SIZE: Final[ViewportSize] = {"width": 1500, "height": 900}
WIDE: Final[ViewportSize] = {"width": 1900, "height": 2900}
"""Room for the whole graph: Dagster draws only what is in sight, and hides details when small."""
SETTLING_MS: Final = 2000
"""Moves of the graph are animated, and nothing tells their end."""
DASHBOARD_SIZE: Final[ViewportSize] = {"width": 1200, "height": 900}


def browser_path() -> str | None:
    """An installed Chromium, None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def browser(executable: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=QUIET_RUN_CONFIG)
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
    _with_few_colours(file, 64)


def take_dashboard(dashboard: Path, file: Path, executable: str) -> None:
    """Write the upper panels of a dashboard as a PNG, down to the forecast."""
    with browser(executable) as opened:
        page = opened.new_page(viewport=DASHBOARD_SIZE, color_scheme="light")
        page.goto(dashboard.absolute().as_uri())
        page.locator("#forecast-chart svg.marks").wait_for()
        below = page.locator("section#record").bounding_box()
        assert below is not None
        file.parent.mkdir(parents=True, exist_ok=True)
        whole: FloatRect = {"x": 0, "y": 0, "width": DASHBOARD_SIZE["width"], "height": below["y"]}
        page.screenshot(path=file, clip=whole, full_page=True)
    _with_few_colours(file)


def _with_few_colours(file: Path, colours: int = 200) -> None:
    """There are few in such a picture, and a palette halves the file."""
    with Image.open(file) as picture:
        picture.quantize(colours).save(file, optimize=True)


if __name__ == "__main__":
    found = browser_path()
    if found is None or len(sys.argv) != 3:
        sys.exit(
            "usage: python -m grid_assets_tests.screenshots UI|PAGE FILE, with Chromium installed"
        )
    source, target = sys.argv[1], Path(sys.argv[2])
    if source.endswith(".html"):
        take_dashboard(Path(source), target, found)
    else:
        take(source, target, found)
