"""A page of the dashboard, opened in a real browser from a file and without a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr

from grid_assets.dashboard import page, queries
from grid_assets.output import write_whole
from grid_assets.warehouse.connection import connect
from grid_assets.warehouse.stamp import Stamp
from grid_assets_tests.chromium import chromium as chromium

PANELS: Final = ("answer", "now", "regions", "mix", "forecast", "record", "outlook", "health")
CHARTS: Final = ("mix", "forecast", "record", "errors", "coverage", "attempts")


def write_page(url: SecretStr, file: Path, now: datetime) -> Path:
    """The page of a warehouse, as of `now`."""
    with connect(url) as connection:
        write_whole(file, page.render(queries.read(connection, now), Stamp("replay", 3)))
    return file


@contextmanager
def opened(
    browser: Browser,
    file: Path,
    *,
    charts: int = len(CHARTS),
    width: int = 1280,
    clock: datetime | None = None,
    fragment: str = "",
    **more: Any,
) -> Iterator[Page]:
    """The page with its charts drawn; in the end it has asked for nothing and erred nowhere.

    The browser's clock stands at `clock`, if given.
    """
    context = browser.new_context(viewport={"width": width, "height": 900}, **more)
    said: list[str] = []
    asked: list[str] = []
    shown = context.new_page()
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.on("request", lambda request: asked.append(request.url))
    context.set_offline(True)
    if clock:
        shown.clock.set_fixed_time(clock)
    try:
        shown.goto(file.as_uri() + fragment)
        expect(shown.locator("svg.marks")).to_have_count(charts)
        yield shown
        assert said == []
        assert asked == [file.as_uri()]
    finally:
        context.close()


def cells(shown: Page, table: str) -> list[list[str]]:
    """The texts of a table's rows, folded away or not."""
    return shown.locator(f"{table} tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent.trim()))"
    )


def tenths(value: Decimal | float | None) -> str:
    """As PostgreSQL rounds."""
    if value is None:
        return "–"
    return str(Decimal(str(value)).quantize(Decimal("0.1"), ROUND_HALF_UP))


CONTRAST = """element => {
  const light = text => {
    const [r, g, b] = text.match(/[0-9.]+/g).map(Number).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let behind = element;
  while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)")
    behind = behind.parentElement;
  const [a, b] = [light(getComputedStyle(element).color),
                  light(getComputedStyle(behind).backgroundColor)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}"""
"""The contrast ratio of WCAG 2 between an element's text and what lies behind it."""
