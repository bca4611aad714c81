"""The page that readers see on a usual day, in a real browser: its numbers, its answers, and how it
is used with a pointer, a keyboard, a screen reader and a phone.

One warehouse and one page serve all tests: none of them changes anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from psycopg.rows import tuple_row
from pydantic import SecretStr

from grid_assets.dashboard.theme import at
from grid_assets.halfhours import HALF_HOUR, LONDON, floor
from grid_assets.regions import REGIONS
from grid_assets.warehouse.connection import connect
from grid_assets_tests import shared_warehouse
from grid_assets_tests.chromium import chromium as chromium
from grid_assets_tests.chromium import needs_chromium
from grid_assets_tests.dashboard import made_up, places
from grid_assets_tests.dashboard.browsing import (
    CHARTS,
    CONTRAST,
    PANELS,
    cells,
    opened,
    tenths,
    write_page,
)

pytestmark = needs_chromium

one_warehouse = shared_warehouse.one_warehouse

Ask = Callable[..., list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Usual:
    """A page, and when it was made."""

    file: Path
    now: datetime


@pytest.fixture(scope="module")
def usual(one_warehouse: SecretStr, tmp_path_factory: pytest.TempPathFactory) -> Usual:
    now = datetime.now(UTC)
    made_up.fill(one_warehouse, now)
    places.fill(one_warehouse, now)
    file = tmp_path_factory.mktemp("usual") / "dashboard.html"
    return Usual(write_page(one_warehouse, file, now), now)


@pytest.fixture
def ask(usual: Usual, one_warehouse: SecretStr) -> Iterator[Ask]:
    """Asks the database."""
    with connect(one_warehouse) as connection, connection.cursor(row_factory=tuple_row) as cursor:
        yield lambda query, *values: cursor.execute(query, values).fetchall()


def test_every_panel_is_drawn_without_a_network_and_without_an_error(
    usual: Usual, chromium: Browser
) -> None:
    with opened(chromium, usual.file) as shown:
        for name in PANELS:
            panel = shown.locator(f"main > section#{name}")
            expect(panel).to_be_visible()
            expect(panel.get_by_role("heading", level=2)).to_be_visible()
        for name in CHARTS:
            box = shown.locator(f"#{name}-chart svg").bounding_box()
            assert box is not None
            assert box["width"] > 300
            assert box["height"] > 100
        # blocks of the mix: four fuels of each half-hour have a share, the others are null
        blocks = shown.locator("#mix-chart svg .block").count()
        shares = [cell for row in cells(shown, "#mix-table") for cell in row[1:] if cell != "–"]
        assert blocks == len(shares)
        expect(shown.locator("#recorded")).to_contain_text("RECORDED data (replay), not live")
        expect(shown.locator("#old")).to_be_hidden()
        expect(shown.locator(".empty:visible")).to_have_count(1)  # there is no outlook


def test_the_numbers_shown_are_those_of_the_database(
    usual: Usual, ask: Ask, chromium: Browser
) -> None:
    now = usual.now
    with opened(chromium, usual.file, clock=now) as shown:
        [(actual, index)] = ask(
            "SELECT actual_gco2_kwh, intensity_index FROM reporting.telemetry "
            "WHERE actual_gco2_kwh IS NOT NULL ORDER BY period_start DESC LIMIT 1"
        )
        expect(shown.locator("#now-intensity")).to_have_text(str(actual))
        expect(shown.locator("#now-index")).to_have_text(index)
        mix = ask(
            "SELECT fuel, pct FROM reporting.generation_mix WHERE period_start = "
            "(SELECT max(period_start) FROM reporting.generation_mix)"
        )
        for fuel, pct in mix:
            item = shown.locator("#now-mix li").filter(has_text=re.compile(rf"^{fuel}"))
            expect(item).to_have_text(f"{fuel}{tenths(pct)} %")
        assert len(mix) == 9
        table = cells(shown, "#mix-table")
        wind = ask(
            "SELECT wind_pct FROM reporting.telemetry WHERE period_start > %s "
            "ORDER BY period_start DESC",
            now - timedelta(days=1),
        )
        assert [row[4] for row in table] == [f"{pct:.1f}" for (pct,) in wind]
        ahead = ask(
            "SELECT f.period_start, f.p50, f.p10, f.p90, n.p50, f.model "
            "FROM reporting.forecast_latest AS f JOIN reporting.forecast_latest AS n "
            "USING (series, period_start) WHERE f.model = %s AND n.model = 'neso' "
            "AND series = 'carbon_intensity' AND period_start >= %s ORDER BY period_start",
            made_up.MODEL,
            floor(now),
        )
        rows = cells(shown, "#forecast-table")
        assert rows == [[at(start), *map(tenths, values), model] for start, *values, model in ahead]
        assert len(rows) == 96
        past = ask(
            "SELECT period_start, p50, p10, p90 FROM reporting.actual_vs_predicted "
            "WHERE model = %s AND series = 'carbon_intensity' AND issued_at = %s "
            "AND period_start > %s AND period_start <= %s ORDER BY period_start DESC",
            made_up.MODEL,
            floor(now) - timedelta(days=1),
            floor(now) - timedelta(days=1),
            floor(now),
        )
        record = [[row[0], *row[2:5]] for row in cells(shown, "#record-table")]
        assert record[: len(past)] == [[at(start), *map(tenths, values)] for start, *values in past]
        assert [made_up.MODEL, "0-3h", "40", "25.0", "75"] in cells(shown, "#errors-table")
        assert ["neso (simulated)", "0-3h", "40", "25.0", "–"] in cells(shown, "#errors-table")
        expect(shown.locator("#failures")).to_have_text("1 of 2 attempts")
        expect(shown.locator("#rejected")).to_have_text("2")
        health = {row[0]: row[1:] for row in cells(shown, "#last-attempts")}
        assert health["raw.intensity"][0] == "success"
        assert health["core.intensity"][0::5] == ["failed", "Out of luck."]


def test_the_numbers_of_a_region_are_those_of_the_database(
    usual: Usual, ask: Ask, chromium: Browser
) -> None:
    now = usual.now
    newest = {
        row[0]: row[1:]
        for row in ask(
            "SELECT region_id, intensity_gco2_kwh, intensity_index, gas_pct, wind_pct, other_pct, "
            "renewable_pct FROM reporting.regional_now"
        )
    }
    with opened(chromium, usual.file, clock=now) as shown:
        for region_id, (value, index, *_) in newest.items():
            tile = shown.locator(f"[data-region='{region_id}']")
            expect(tile.locator(".value")).to_have_text(tenths(value).removesuffix(".0"))
            expect(tile.locator(".level")).to_have_text(index)
        assert len(newest) == 18
        for region in (REGIONS[0], REGIONS[12], REGIONS[16]):
            value, index, gas, wind, other, renewable = newest[region.region_id]
            shown.locator(f"[data-region='{region.region_id}']").click()
            expect(shown.locator("#now-place")).to_have_text(region.short_name)
            expect(shown.locator("#now-intensity")).to_have_text(tenths(value).removesuffix(".0"))
            expect(shown.locator("#now-index")).to_have_text(index)
            for fuel, pct in (("gas", gas), ("wind", wind), ("other", other)):
                item = shown.locator("#now-mix li").filter(has_text=re.compile(rf"^{fuel}"))
                expect(item).to_have_text(f"{fuel}{tenths(pct)} %")
            expect(shown.locator("#now-groups")).to_contain_text(f"Renewable {tenths(renewable)} %")
            ahead = ask(
                "SELECT period_start, p50, model FROM reporting.regional_forecast_latest "
                "WHERE region_id = %s AND series = 'carbon_intensity' AND period_start >= %s "
                "ORDER BY period_start",
                region.region_id,
                floor(now),
            )
            rows = cells(shown, "#forecast-table")
            found = {row[0]: (row[1], row[5]) for row in rows}
            assert len(found) == 96
            assert {at(start): (tenths(p50), model) for start, p50, model in ahead}.items() <= (
                found.items()
            )
            assert len(ahead) >= 95
        expect(shown.locator("[aria-pressed=true][data-region]")).to_have_count(1)
        shown.locator("[data-region='13']").click()
        expect(shown.locator("#place-accuracy")).to_contain_text("estimate")
        expect(shown.locator("#place-accuracy")).to_contain_text("neso is off by 5.5 gCO2/kWh")


USES = [
    ("a day", {"hours": 3, "kw": 7}, 0),
    ("a night", {"hours": 2.5, "kw": 0.8, "by": "07:00"}, 13),
    ("a long one", {"hours": 24, "kw": 2}, 1),
    ("an evening", {"hours": 0.5, "kw": 11, "by": "23:45"}, 17),
    ("as it consumes", {"hours": 6, "kw": 3.5, "by": "12:00"}, 18),
]


@pytest.mark.parametrize(("use", "region"), [use[1:] for use in USES], ids=[use[0] for use in USES])
def test_the_answer_is_that_of_the_database(
    usual: Usual,
    ask: Ask,
    chromium: Browser,
    use: dict[str, Any],
    region: int,
) -> None:
    now = usual.now
    begin = floor(now) + HALF_HOUR
    needed = timedelta(hours=use["hours"])
    if "by" in use:
        hour, minute = map(int, use["by"].split(":"))
        deadline = now.astimezone(LONDON).replace(hour=hour, minute=minute, second=0, microsecond=0)
        while deadline <= now or begin + needed > deadline:
            deadline += timedelta(days=1)  # by London's clock, whatever the day's length
    else:
        deadline = begin + timedelta(days=1)
    asked = (
        "SELECT min(period_start), max(period_start) + interval '30 minutes', "
        "min(mean_gco2_kwh), avg(gco2_kwh), min(forecast_model) "
        "FROM reporting.greenest_window(%s, %s, %s, region => %s)"
    )
    [(start, end, mean, exact, model)] = ask(asked, needed, deadline, begin, region or None)
    [(_, _, at_once, exact_at_once, _)] = ask(asked, needed, begin + needed, begin, region or None)
    steps = int(use["hours"] * 2)
    [(grams, grams_at_once)] = ask(
        "SELECT (SELECT gco2 FROM reporting.carbon_of_use(%s, %s::numeric[], %s)), "
        "(SELECT gco2 FROM reporting.carbon_of_use(%s, %s::numeric[], %s))",
        *(start, [use["kw"] / 2] * steps, region or None),
        *(begin, [use["kw"] / 2] * steps, region or None),
    )
    less = (100 * (1 - exact / exact_at_once)).quantize(Decimal(1), ROUND_HALF_UP)

    with opened(chromium, usual.file, clock=now, timezone_id="America/New_York") as shown:
        if region:
            shown.get_by_label("Where", exact=True).select_option(str(region))
        for name, value in use.items():
            label = {"hours": "Hours", "kw": "Kilowatts", "by": "Done by"}[name]
            shown.get_by_label(label, exact=True).fill(str(value))
        headline = shown.locator("#answer-headline")
        rest = shown.locator("#answer-rest")
        local = [one.astimezone(LONDON) for one in (start, end)]
        expect(headline).to_contain_text(f"from {local[0]:%H:%M} to {local[1]:%H:%M}")
        expect(rest).to_contain_text(f"{tenths(mean)} gCO2/kWh on average")
        expect(rest).to_contain_text(f"By {model}")
        days = (local[0].date() - now.astimezone(LONDON).date()).days
        when = "" if days == 0 else " tomorrow" if days == 1 else f" on {local[0].day} "
        expect(headline).to_contain_text(f"{local[1]:%H:%M}{when}")
        if start == begin:
            expect(headline).to_contain_text("now,")
            expect(rest).not_to_contain_text("instead of")
        else:
            expect(headline).to_contain_text(f": {less} % less than now")
            expect(rest).to_contain_text(f"instead of {tenths(at_once)}.")
            expect(rest).to_contain_text(f"instead of {mass(grams_at_once)}.")
        expect(rest).to_contain_text(f"emit {mass(grams)} of CO2")
        # the bar in the chart is that window
        bar = shown.locator("#forecast-chart .window")
        expect(bar).to_have_count(1)
        chart = shown.locator("#forecast-chart svg").bounding_box()
        found = bar.bounding_box()
        assert chart is not None
        assert found is not None
        share = found["width"] / (chart["width"] - 56)  # without the margins
        assert share == pytest.approx(needed / timedelta(hours=48), abs=0.01)


def mass(grams: Decimal) -> str:
    if grams < Decimal("999.5"):
        return f"{grams.quantize(Decimal(1), ROUND_HALF_UP)} g"
    digits = Decimal("0.1") if grams < 99950 else Decimal(1)
    return f"{(grams / 1000).quantize(digits, ROUND_HALF_UP)} kg"


def test_a_use_that_no_longer_fits_is_moved_to_the_next_day_and_a_wrong_one_is_named(
    usual: Usual, chromium: Browser
) -> None:
    now = usual.now
    soon = (now + timedelta(hours=1)).astimezone(LONDON)
    with opened(chromium, usual.file, clock=now) as shown:
        shown.get_by_label("Done by", exact=True).fill(f"{soon:%H:%M}")
        expect(shown.locator("#answer-rest")).to_contain_text("3 hours no longer fit before")
        expect(shown.locator("#answer-headline")).to_contain_text("Charge")
        hours = shown.get_by_label("Hours", exact=True)
        hours.fill("0")
        expect(shown.locator("#answer-headline")).to_contain_text("between half an hour and 24")
        expect(hours).to_have_attribute("aria-invalid", "true")
        expect(shown.locator("#forecast-chart .window")).to_have_count(0)
        hours.fill("")
        expect(shown.locator("#answer-headline")).to_contain_text("between half an hour and 24")
        hours.fill("2")
        expect(hours).to_have_attribute("aria-invalid", "false")
        shown.get_by_label("Kilowatts", exact=True).fill("-1")
        expect(shown.locator("#answer-headline")).to_contain_text("power")


def test_a_postcode_finds_its_region_as_the_database_does(
    usual: Usual, ask: Ask, chromium: Browser
) -> None:
    now = usual.now
    spellings = (
        *("rg10", "RG10 9NY", " sw1a1aa", "XX1", "W1", "W1A 1AA", "BT1", "JE2", "IM1 1AA"),
        *("gir 0aa", "RG1 9", "RG19", "rg1-9ny", "RG109NY", "nonsense", "M1", "EC1A", "B99"),
        *("toString", "AB12 3CD", "l1\u00a01aa", "ZE1"),
    )
    with opened(chromium, usual.file, clock=now) as shown:
        field = shown.get_by_label("or postcode", exact=True)
        for text in spellings:
            [(region, name, reason)] = ask(
                "SELECT region_id, short_name, reason FROM reporting.region_of_postcode(%s)", text
            )
            shown.get_by_label("Where", exact=True).select_option("0")
            field.fill(text)
            if region is None:
                assert reason is not None
                expect(shown.locator("#postcode-says"), text).not_to_be_empty()
                expect(shown.locator("#now-place")).to_have_text("Great Britain")
            else:
                expect(shown.locator("#postcode-says"), text).to_be_empty()
                expect(shown.locator("#now-place"), text).to_have_text(name)


def test_a_link_keeps_what_was_chosen(usual: Usual, chromium: Browser) -> None:
    now = usual.now
    with opened(chromium, usual.file, clock=now) as shown:
        shown.get_by_label("What", exact=True).select_option("wash")
        expect(shown.get_by_label("Hours", exact=True)).to_have_value("2")
        shown.get_by_label("Done by", exact=True).fill("06:30")
        shown.locator("[data-region='5']").click()
        fragment = shown.evaluate("location.hash")
        answer = shown.locator("#says").inner_text()
        assert answer.startswith("Wash")
    with opened(chromium, usual.file, clock=now, fragment=fragment) as again:
        expect(again.locator("#now-place")).to_have_text("Yorkshire")
        assert again.locator("#says").inner_text() == answer
    for nonsense in ("#region=99&task=x&hours=-1&by=25:00&kw=a", "#__proto__", "#region=%"):
        with opened(chromium, usual.file, clock=now, fragment=nonsense) as shown:
            expect(shown.locator("#now-place")).to_have_text("Great Britain")


def test_a_chart_answers_the_pointer_and_the_arrow_keys(usual: Usual, chromium: Browser) -> None:
    now = usual.now
    with opened(chromium, usual.file, clock=now) as shown:
        chart = shown.locator("#mix-chart svg")
        tip = shown.locator("#mix-chart .tip")
        expect(tip).to_be_hidden()
        chart.hover()
        expect(tip).to_be_visible()
        assert dict(cells(shown, "#mix-chart .tip"))["gas"] == "40.5"
        shown.mouse.move(0, 0)
        expect(tip).to_be_hidden()
        lines = shown.locator("#forecast-chart svg")
        lines.focus()
        for keys, row in ((["ArrowRight"], 0), (["ArrowRight"] * 2, 2), (["End"], 95)):
            for key in keys:
                shown.keyboard.press(key)
            table = cells(shown, "#forecast-table")[row]
            values = dict(cells(shown, "#forecast-chart .tip"))
            assert shown.locator("#forecast-chart .tip strong").inner_text() == table[0]
            assert values[made_up.MODEL] == table[1]
            assert values["p10 to p90"] == f"{table[2]} to {table[3]}"
            assert values["neso (simulated)"] == table[4]
        shown.keyboard.press("Escape")
        expect(shown.locator("#forecast-chart .tip")).to_be_hidden()


def test_a_fuel_is_shown_alone_by_keyboard_and_stays_so_when_the_width_changes(
    usual: Usual, chromium: Browser
) -> None:
    with opened(chromium, usual.file) as shown:
        faded = shown.locator("#mix-chart .faded")
        buttons = shown.locator("#mix-chart .legend").get_by_role("button")
        expect(buttons).to_have_count(9)
        wind = buttons.filter(has_text="wind")
        wind.focus()
        shown.keyboard.press("Enter")
        expect(faded).to_have_count(8)
        expect(wind).to_have_attribute("aria-pressed", "true")
        shown.set_viewport_size({"width": 600, "height": 900})
        expect(shown.locator("#mix-chart svg")).not_to_have_attribute("width", "0")
        expect(faded).to_have_count(8)
        wind.focus()
        shown.keyboard.press("Space")
        expect(faded).to_have_count(0)
        expect(wind).to_have_attribute("aria-pressed", "false")


def test_the_answer_and_the_map_work_by_keyboard_alone(usual: Usual, chromium: Browser) -> None:
    now = usual.now
    with opened(chromium, usual.file, clock=now) as shown:
        reached: list[str] = []
        shown.keyboard.press("Tab")
        for _ in range(60):
            name = shown.evaluate(
                "document.activeElement.id || document.activeElement.dataset.region || ''"
            )
            reached.append(name)
            shown.keyboard.press("Tab")
        wanted = [f"use-{name}" for name in ("task", "hours", "kw", "by", "region", "postcode")]
        assert [name for name in dict.fromkeys(reached) if name in wanted] == wanted
        tiles = [str(one) for one in range(19)]
        assert sorted({name for name in reached if name in tiles}, key=int) == tiles
        shown.locator("[data-region='13']").focus()
        shown.keyboard.press("Enter")
        expect(shown.locator("#now-place")).to_have_text("London")
        expect(shown.locator("[data-region='13']")).to_be_focused()


def test_a_screen_reader_finds_landmarks_headings_labels_and_every_number(
    usual: Usual, chromium: Browser
) -> None:
    with opened(chromium, usual.file) as shown:
        assert shown.locator("html").get_attribute("lang") == "en-GB"
        assert "carbon intensity" in shown.title()
        for landmark in ("banner", "main", "contentinfo"):
            expect(shown.get_by_role(landmark)).to_have_count(1)
        assert shown.get_by_role("heading", level=1).count() == 1
        names = [shown.locator(f"#{name}-title").inner_text() for name in PANELS]
        for name in names:
            expect(shown.get_by_role("region", name=name, exact=True)).to_have_count(1)
        for label in ("What", "Hours", "Kilowatts", "Done by", "Where", "or postcode"):
            expect(shown.get_by_label(label, exact=True)).to_have_count(1)
        expect(shown.locator("#says")).to_have_attribute("aria-live", "polite")
        value = shown.locator("[data-region='13'] .value").inner_text()
        level = shown.locator("[data-region='13'] .level").inner_text()
        tile = shown.get_by_role("button", name=f"London {value} {level}", exact=True)
        expect(tile).to_have_count(1)
        for name in CHARTS:
            says = shown.locator(f"#{name}-says").inner_text()
            picture = shown.locator(f"#{name}-chart").get_by_role("img")
            described = picture.get_attribute("aria-label")
            assert described is not None
            assert described.endswith(says)
            table = shown.locator(f"#{name}-table table")
            expect(table).to_be_hidden()
            shown.locator(f"#{name}-table summary").press("Enter")
            expect(table).to_be_visible()
            assert table.locator("thead th[scope=col]").count() > 2
            assert table.locator("tbody th[scope=row]").count() > 0


def test_words_stand_out_from_their_background_in_both_schemes(
    usual: Usual, chromium: Browser
) -> None:
    backgrounds = set()
    with opened(chromium, usual.file, color_scheme="light") as shown:
        shown.locator("#forecast-chart svg").focus()
        shown.keyboard.press("ArrowRight")
        for scheme in ("light", "dark"):
            shown.emulate_media(color_scheme=scheme)
            backgrounds.add(
                shown.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
            )
            for place in (
                *("h1", "#made", "#recorded", "figcaption", "summary", ".bad", "footer"),
                *("#answer-headline", "label", "#use-region", ".tile", ".tip th", ".legend span"),
            ):
                assert shown.locator(place).first.evaluate(CONTRAST) >= 4.5, (scheme, place)
    assert len(backgrounds) == 2


def test_without_javascript_the_numbers_of_the_country_are_there(
    usual: Usual, ask: Ask, chromium: Browser
) -> None:
    now = usual.now
    [(start, mean)] = ask(
        "SELECT min(period_start), min(mean_gco2_kwh) FROM reporting.greenest_window("
        "interval '3 hours', %s, %s)",
        floor(now) + HALF_HOUR + timedelta(days=1),
        floor(now) + HALF_HOUR,
    )
    with opened(chromium, usual.file, charts=0, java_script_enabled=False) as shown:
        local = start.astimezone(LONDON)
        said = shown.locator("#plain")
        expect(said).to_contain_text("100 gCO2/kWh (moderate)")
        expect(said).to_contain_text(f"{local.day} {local:%b %H:%M}")
        expect(said).to_contain_text(f"{tenths(mean)} gCO2/kWh on average")
        expect(shown.locator("#forecast-rows tr")).to_have_count(96)
