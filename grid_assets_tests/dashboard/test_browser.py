"""The page on unusual days, in a real browser: old, empty, hostile, or in another spelling."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from pydantic import SecretStr

from grid_assets.halfhours import HALF_HOUR, LONDON, floor
from grid_assets.replay import simulated
from grid_assets.warehouse.connection import connect
from grid_assets_tests import shared_warehouse
from grid_assets_tests.chromium import chromium as chromium
from grid_assets_tests.chromium import needs_chromium
from grid_assets_tests.dashboard import made_up, places
from grid_assets_tests.dashboard.browsing import (
    CHARTS,
    CONTRAST,
    cells,
    opened,
    write_page,
)

pytestmark = needs_chromium

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

RUN = "document.title='broken'"
HOSTILE = f'</script><script>{RUN}</script><img src=x onerror="{RUN}">'


@pytest.fixture
def write(warehouse: SecretStr, tmp_path: Path) -> Callable[..., Path]:
    """Makes the page of the test's warehouse, as of `now`."""
    return lambda now: write_page(warehouse, tmp_path / "dashboard.html", now)


def test_the_clock_of_london_decides_also_when_it_changes(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser
) -> None:
    with opened(chromium, write(datetime.now(UTC)), charts=0, timezone_id="Asia/Tokyo") as shown:
        for now, text, expected in (
            ("2026-10-25T00:15Z", "07:00", "2026-10-25T07:00Z"),  # back at 01:00 UTC
            ("2026-10-24T06:30Z", "07:00", "2026-10-25T07:00Z"),
            ("2026-10-24T05:30Z", "07:00", "2026-10-24T06:00Z"),
            ("2026-03-29T00:15Z", "07:00", "2026-03-29T06:00Z"),  # forward at 01:00 UTC
            ("2026-03-28T23:45Z", "00:30", "2026-03-29T00:30Z"),
            ("2026-07-01T22:45Z", "00:15", "2026-07-01T23:15Z"),  # after midnight in London
            ("2026-12-31T23:45Z", "00:15", "2027-01-01T00:15Z"),
        ):
            found = shown.evaluate("([text, now]) => nextClock(text, Date.parse(now))", [text, now])
            assert datetime.fromtimestamp(found / 1000, UTC) == datetime.fromisoformat(expected)
        assert [
            shown.evaluate("now => at(Date.parse(now))", f"2026-10-25T{hour}Z")
            for hour in ("00:30", "01:30", "02:30")
        ] == ["25 Oct 01:30 BST", "25 Oct 01:30 GMT", "25 Oct 02:30"]


@pytest.mark.parametrize("width", [390, 1280])
def test_the_last_table_is_whole_and_every_level_of_intensity_has_a_colour(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser, width: int
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now, error="A message of several lines. " * 12)
    places.fill(warehouse, now)
    for n in range(12):
        made_up.note_attempt(warehouse, f"raw.other_{n}", now - HALF_HOUR)
    with opened(chromium, write(now), width=width) as shown:
        cut = shown.locator("#last-attempts").evaluate(
            "table => table.parentElement.scrollHeight - table.parentElement.clientHeight"
        )
        assert cut == 0
        for place in ("#now-index", "[data-region='13']"):
            index = shown.locator(place)
            colours = set()
            for level in simulated.INDEX_NAMES:
                index.evaluate("(element, level) => { element.dataset.index = level; }", level)
                assert index.evaluate(CONTRAST) >= 4.5, level
                colours.add(index.evaluate("element => getComputedStyle(element).backgroundColor"))
            assert len(colours) == 5
            assert "rgba(0, 0, 0, 0)" not in colours
        # the facts about the pipeline stand side by side where there is room
        facts = shown.locator("#health .facts > div")
        boxes = [fact.bounding_box() for fact in facts.all()]
        assert len({box["y"] for box in boxes if box}) < len(boxes) or width < 400


def test_a_phone_scrolls_in_one_direction_only(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now, model="chronos:" + "a-long-name-" * 4, error="word" * 60)
    places.fill(warehouse, now)
    with opened(chromium, write(now), width=390, has_touch=True, is_mobile=True) as shown:
        for summary in shown.locator("summary:visible").all():
            summary.tap()
        assert shown.evaluate("document.documentElement.scrollWidth") == 390
        for name in CHARTS:
            box = shown.locator(f"#{name}-chart svg").bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390
        for tile in shown.locator(".tile").all():  # large enough for a finger
            box = tile.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 44


def test_a_page_opened_later_says_that_it_is_old_and_answers_from_what_is_left(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser
) -> None:
    then = datetime.now(UTC) - timedelta(hours=5, minutes=5)
    made_up.fill(warehouse, then)
    with opened(chromium, write(then)) as shown:
        expect(shown.locator("#old")).to_be_visible()
        expect(shown.locator("#old")).to_contain_text("This page is 5 h old")
        expect(shown.locator("#answer-headline")).to_contain_text("Charge")
    much_later = then + timedelta(hours=47)
    with opened(chromium, write(then), clock=much_later) as shown:
        expect(shown.locator("#old")).to_contain_text("This page is 47 h old")
        expect(shown.locator("#answer-headline")).to_have_text("No answer yet")


def test_an_empty_database_has_panels_that_say_so_and_no_chart(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser
) -> None:
    with opened(chromium, write(datetime.now(UTC)), charts=0) as shown:
        for name in CHARTS:
            expect(shown.locator(f"#{name}-empty")).to_have_text("No data yet.")
        expect(shown.locator("#answer-headline")).to_have_text("No answer yet")
        expect(shown.locator("#regions-empty")).to_be_visible()
        expect(shown.locator("#now-intensity")).to_have_text("–")
        expect(shown.locator("#now-age")).to_have_text("No data in two days.")
        expect(shown.locator("#use-region option")).to_have_count(1)


def test_hostile_text_is_shown_and_not_obeyed(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now, model=f"chronos:{HOSTILE}", error=HOSTILE)
    made_up.note_attempt(warehouse, HOSTILE, now - HALF_HOUR)
    with opened(chromium, write(now)) as shown:
        table = cells(shown, "#last-attempts")
        assert [row[0] for row in table if row[0].startswith("<")] == [HOSTILE]
        assert HOSTILE in [row[-1] for row in table]
        expect(shown.locator("#answer-rest")).to_contain_text(HOSTILE)
        expect(shown.locator("#errors-chart .legend")).to_contain_text("</script>")
        shown.locator("#errors-chart svg").hover()
        expect(shown.locator("#errors-chart .tip")).to_contain_text("</script>")
        assert "broken" not in shown.title()
        assert shown.locator("img").count() == 0


@pytest.mark.parametrize(
    "name", ["w" * 200 + 'quoted\\"back\\', "two\nlines of a para\u2028graph"], ids=["long", "odd"]
)
def test_a_model_may_be_called_anything(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser, name: str
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now, model=f"chronos:{name}")
    with opened(chromium, write(now), width=390) as shown:
        shown.locator("#record-chart svg").hover()
        expect(shown.locator("#record-chart .tip")).to_contain_text(name)
        assert shown.evaluate("document.documentElement.scrollWidth") == 390


def test_a_forecast_without_a_band_is_drawn_and_promises_none(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now)
    with connect(warehouse) as connection:
        connection.execute("DELETE FROM forecast.archive WHERE model <> 'neso'")
    with opened(chromium, write(now)) as shown:
        expect(shown.locator("#answer-rest")).to_contain_text("By neso (simulated)")
        expect(shown.locator("#forecast-says")).not_to_contain_text("band")
        expect(shown.locator("#forecast-chart .band")).to_have_count(0)


def test_a_gap_in_a_forecast_is_not_drawn_over_nor_bridged(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now)
    with connect(warehouse) as connection:
        for model in (made_up.MODEL, "neso"):
            connection.execute(
                "DELETE FROM forecast.latest WHERE model = %s AND period_start = %s",
                [model, floor(now) + 10 * HALF_HOUR],
            )
    with opened(chromium, write(now), clock=now) as shown:
        line = shown.locator("#forecast-chart .line").first.get_attribute("d")
        assert line is not None
        assert line.count("M") == 2
        assert cells(shown, "#forecast-table")[10][1:] == ["–", "–", "–", "–", "–"]
        # without the gap, the greenest hours would be those around the fifth half-hour
        shown.get_by_label("Hours", exact=True).fill("5.5")
        gap = (floor(now) + 10 * HALF_HOUR).astimezone(LONDON)
        said = shown.locator("#answer-headline").inner_text()
        found = re.search(r"from (\S+) to", said)
        assert found is not None
        assert found[1] >= f"{gap:%H:%M}" or "tomorrow" in said or "on" in said


def test_a_script_that_got_in_all_the_same_is_not_run(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser, tmp_path: Path
) -> None:
    made_up.fill(warehouse, datetime.now(UTC))
    html = write(datetime.now(UTC)).read_text(encoding="utf-8")
    file = tmp_path / "spoiled.html"
    bad = "<script>document.title = 'broken'</script><img src='https://example.org/x.png'>"
    file.write_text(html.replace("<footer>", f"{bad}<footer>"), encoding="utf-8")
    context = chromium.new_context(offline=True)
    said: list[str] = []
    shown = context.new_page()
    shown.on("console", lambda message: said.append(message.text))
    shown.goto(file.as_uri())
    expect(shown.locator("svg.marks")).to_have_count(len(CHARTS))
    assert "broken" not in shown.title()
    assert len([line for line in said if "Content Security Policy" in line]) == 2
    context.close()
