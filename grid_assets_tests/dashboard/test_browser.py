"""The dashboard as its readers see it: in a real browser, from a file, without a network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr

from grid_assets.dashboard import page, queries, vega_bundle
from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.output import write_whole
from grid_assets.replay import simulated
from grid_assets.warehouse.connection import Connection, connect
from grid_assets.warehouse.stamp import Stamp
from grid_assets_tests.chromium import chromium as chromium
from grid_assets_tests.chromium import needs_chromium
from grid_assets_tests.dashboard import made_up

pytestmark = needs_chromium

Rows = Callable[..., list[tuple[Any, ...]]]

PANELS = ("now", "intensity", "mix", "accuracy", "value", "health")
CHARTS = ("intensity", "mix", "errors", "coverage", "attempts")
RUN = "document.title='broken'"
HOSTILE = f'</script><script>{RUN}</script><img src=x onerror="{RUN}">'


@pytest.fixture(scope="session")
def bundle(chart_library: Path) -> str:
    return vega_bundle.javascript(chart_library)


@pytest.fixture
def write(
    warehouse: SecretStr, connection: Connection, bundle: str, tmp_path: Path
) -> Callable[..., Path]:
    """Makes the page of the test's warehouse, as of `now`."""

    def write(now: datetime) -> Path:
        file = tmp_path / "dashboard.html"
        write_whole(file, page.render(queries.read(connection, now), Stamp("replay", 3), bundle))
        return file

    return write


@contextmanager
def opened(
    browser: Browser, file: Path, *, charts: int = len(CHARTS), width: int = 1280, **more: Any
) -> Iterator[Page]:
    """The page with its charts drawn; in the end it has asked for nothing and erred nowhere."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **more)
    said: list[str] = []
    asked: list[str] = []
    shown = context.new_page()
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.on("request", lambda request: asked.append(request.url))
    context.set_offline(True)
    try:
        shown.goto(file.as_uri())
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


def test_every_panel_is_drawn_without_a_network_and_without_an_error(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now)
    with opened(chromium, write(now)) as shown:
        for name in PANELS:
            panel = shown.locator(f"main > section#{name}")
            expect(panel).to_be_visible()
            expect(panel.get_by_role("heading", level=2)).to_be_visible()
        for name in CHARTS:
            box = shown.locator(f"#{name}-chart svg").bounding_box()
            assert box is not None
            assert box["width"] > 300
            assert box["height"] > 100
        # blocks of the mix: nine fuels of each half-hour
        blocks = shown.locator("#mix-chart svg .mark-rect.role-mark path").count()
        assert blocks == 9 * len(cells(shown, "#mix-table"))
        expect(shown.locator("#recorded")).to_contain_text("RECORDED data (replay), not live")
        expect(shown.locator("#old")).to_be_hidden()


def test_the_numbers_shown_are_those_of_the_database(
    write: Callable[..., Path], warehouse: SecretStr, rows: Rows, chromium: Browser
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now)
    with opened(chromium, write(now)) as shown:
        [(actual, index)] = rows(
            "SELECT actual_gco2_kwh, intensity_index FROM reporting.telemetry "
            "WHERE actual_gco2_kwh IS NOT NULL ORDER BY period_start DESC LIMIT 1"
        )
        expect(shown.locator("#now-intensity")).to_have_text(str(actual))
        expect(shown.locator("#now-index")).to_have_text(index)
        mix = rows(
            "SELECT fuel, pct FROM reporting.generation_mix WHERE period_start = "
            "(SELECT max(period_start) FROM reporting.generation_mix)"
        )
        for fuel, pct in mix:
            item = shown.locator("#now-mix li").filter(has_text=re.compile(rf"^{fuel}"))
            expect(item).to_have_text(f"{fuel}{'–' if pct is None else f'{pct:.1f}'} %")
        assert len(mix) == 9
        table = cells(shown, "#mix-table")
        wind = rows("SELECT wind_pct FROM reporting.telemetry_24h ORDER BY period_start DESC")
        assert [row[4] for row in table] == [f"{pct:.1f}" for (pct,) in wind]
        ahead = rows(
            "SELECT p50, p10, p90 FROM reporting.forecast_latest WHERE model = %s AND "
            "series = 'carbon_intensity' AND period_start >= %s ORDER BY period_start DESC",
            made_up.MODEL,
            floor(now) + HALF_HOUR,
        )
        assert [row[2:5] for row in cells(shown, "#intensity-table")[:95]] == [
            [f"{value:.1f}" for value in row] for row in ahead
        ]
        assert [made_up.MODEL, "0-3h", "40", "25.0", "75"] in cells(shown, "#errors-table")
        assert ["neso (simulated)", "0-3h", "40", "25.0", "–"] in cells(shown, "#errors-table")
        expect(shown.locator("#failures")).to_have_text("1 of 2 attempts")
        expect(shown.locator("#rejected")).to_have_text("2")
        health = {row[0]: row[1:] for row in cells(shown, "#last-attempts")}
        assert health["raw.intensity"][0] == "success"
        assert health["core.intensity"][0::5] == ["failed", "Out of luck."]


def test_a_chart_answers_the_pointer_and_its_legend(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now)
    with opened(chromium, write(now)) as shown:
        chart = shown.locator("#mix-chart svg")
        chart.scroll_into_view_if_needed()
        chart.locator(".mark-rect.role-mark path").first.hover()
        tooltip = shown.locator("#vg-tooltip-element")
        expect(tooltip).to_be_visible()
        expect(tooltip).to_contain_text("wind, %")
        expect(tooltip).to_contain_text("40.5")
        faded = chart.locator(".mark-rect.role-mark path[opacity='0.15']")
        expect(faded).to_have_count(0)
        lines = shown.locator("#intensity-chart svg")
        lines.scroll_into_view_if_needed()
        box = lines.bounding_box()
        assert box is not None
        shown.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(tooltip).to_contain_text(made_up.MODEL)
        expect(tooltip).to_contain_text("neso (simulated)")
        # in the middle of three days nothing is known yet, and the half-hour has its name
        answer = dict(cells(shown, "#vg-tooltip-element table"))
        assert re.fullmatch(r"\d+ \w{3} \d\d:[03]0", answer["UTC"])
        assert answer["actual"] == "–"
        assert answer[made_up.MODEL] == f"{float(answer['p10']) + 20:.1f}"


def test_a_fuel_is_shown_alone_by_keyboard_and_stays_so_when_colours_change(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now)
    with opened(chromium, write(now)) as shown:
        blocks = shown.locator("#mix-chart svg .mark-rect.role-mark path")
        faded = shown.locator("#mix-chart svg .mark-rect.role-mark path[opacity='0.15']")
        buttons = shown.locator("#mix-legend").get_by_role("button")
        expect(buttons).to_have_count(9)
        shown.locator("#intensity-table summary").focus()
        shown.keyboard.press("Tab")  # out of the folded table: the next stop is the legend
        expect(buttons.first).to_be_focused()
        expect(buttons.first).to_have_text("gas")
        shown.keyboard.press("Enter")
        whole = blocks.count()
        expect(faded).to_have_count(whole * 8 // 9)
        expect(buttons.first).to_have_attribute("aria-pressed", "true")
        shown.emulate_media(color_scheme="dark")
        expect(faded).to_have_count(whole * 8 // 9)
        shown.keyboard.press("Space")
        expect(faded).to_have_count(0)
        expect(buttons.first).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_last_table_is_whole_and_every_level_of_intensity_has_a_colour(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser, width: int
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now, error="A message of several lines. " * 12)
    for n in range(12):
        made_up.note_attempt(warehouse, f"raw.other_{n}", now - HALF_HOUR)
    with opened(chromium, write(now), width=width) as shown:
        cut = shown.locator("#last-attempts").evaluate(
            "table => table.parentElement.scrollHeight - table.parentElement.clientHeight"
        )
        assert cut == 0
        index = shown.locator("#now-index")
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


def test_a_screen_reader_finds_landmarks_headings_and_every_number(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now)
    with opened(chromium, write(now)) as shown:
        assert shown.locator("html").get_attribute("lang") == "en-GB"
        assert "carbon intensity" in shown.title()
        for landmark in ("banner", "main", "contentinfo"):
            expect(shown.get_by_role(landmark)).to_have_count(1)
        assert shown.get_by_role("heading", level=1).count() == 1
        names = [shown.locator(f"#{name}-title").inner_text() for name in PANELS]
        for name in names:
            expect(shown.get_by_role("region", name=name, exact=True)).to_have_count(1)
        for name in CHARTS:
            says = shown.locator(f"#{name}-says").inner_text()
            label = shown.locator(f"#{name}-chart").get_attribute("aria-label")
            assert label is not None
            assert label.endswith(says)
            table = shown.locator(f"#{name}-table table")
            expect(table).to_be_hidden()
            shown.locator(f"#{name}-table summary").press("Enter")
            expect(table).to_be_visible()
            assert table.locator("thead th[scope=col]").count() > 2
            assert table.locator("tbody th[scope=row]").count() > 0


def test_words_stand_out_from_their_background_in_both_schemes(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now)
    backgrounds = set()
    with opened(chromium, write(now), color_scheme="light") as shown:
        for scheme in ("light", "dark"):
            shown.emulate_media(color_scheme=scheme)
            expect(shown.locator("svg.marks")).to_have_count(len(CHARTS))
            backgrounds.add(
                shown.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
            )
            for place in ("h1", "#made", "#recorded", "figcaption", "summary", ".bad", "footer"):
                assert shown.locator(place).first.evaluate(CONTRAST) >= 4.5, (scheme, place)
    assert len(backgrounds) == 2


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


def test_a_phone_scrolls_in_one_direction_only(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now, model="chronos:" + "a-long-name-" * 4, error="word" * 60)
    phone = {"has_touch": True, "is_mobile": True}
    with opened(chromium, write(now), width=390, **phone) as shown:
        for summary in shown.locator("summary").all():
            summary.tap()
        assert shown.evaluate("document.documentElement.scrollWidth") == 390
        for name in CHARTS:
            box = shown.locator(f"#{name}-chart svg").bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390


def test_a_page_opened_later_says_that_it_is_old(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser
) -> None:
    then = datetime.now(UTC) - timedelta(hours=5, minutes=5)
    made_up.fill(warehouse, then)
    with opened(chromium, write(then)) as shown:
        expect(shown.locator("#old")).to_be_visible()
        expect(shown.locator("#old")).to_contain_text("This page is 5 h old")


def test_an_empty_database_has_panels_that_say_so_and_no_chart(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser
) -> None:
    with opened(chromium, write(datetime.now(UTC)), charts=0) as shown:
        for name in CHARTS:
            expect(shown.locator(f"#{name}-empty")).to_have_text("No data yet.")
        expect(shown.locator("#now")).to_contain_text("No forecast yet.")


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
        expect(shown.locator("#now")).to_contain_text(HOSTILE)
        chart = shown.locator("#errors-chart svg")
        expect(chart.locator(".role-legend")).to_contain_text("</script>")
        chart.scroll_into_view_if_needed()
        chart.locator(".mark-rect.role-mark path").first.hover()
        expect(shown.locator("#vg-tooltip-element")).to_contain_text("</script>")
        assert "broken" not in shown.title()
        assert shown.locator("img").count() == 0


@pytest.mark.parametrize(
    "name", ["w" * 200 + 'quoted\\"back\\', "two\nlines of a para\u2028graph"], ids=["shown", "not"]
)
def test_a_model_may_be_called_anything(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser, name: str
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now, model=f"chronos:{name}")
    with opened(chromium, write(now), width=390) as shown:
        lines = shown.locator("#intensity-chart svg")
        lines.hover()
        tooltip = shown.locator("#vg-tooltip-element")
        said = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
        expect(tooltip).to_contain_text(said)
        assert shown.evaluate("document.documentElement.scrollWidth") == 390


def test_a_forecast_without_a_band_is_drawn_and_promises_none(
    write: Callable[..., Path], warehouse: SecretStr, chromium: Browser
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now)
    with connect(warehouse) as connection:
        connection.execute("DELETE FROM forecast.archive WHERE model <> 'neso'")
    with opened(chromium, write(now)) as shown:
        expect(shown.locator("#now")).to_contain_text("By neso (simulated)")
        expect(shown.locator("#now")).not_to_contain_text("p10 and p90")


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
