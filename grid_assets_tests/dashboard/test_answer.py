"""The answer of the page at odd times and for odd uses, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from grid_assets.dashboard import page
from grid_assets.dashboard.queries import Snapshot
from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.output import write_whole
from grid_assets.regions import REGIONS
from grid_assets.series import FUELS
from grid_assets.warehouse.stamp import Stamp
from grid_assets_tests.chromium import chromium as chromium
from grid_assets_tests.chromium import needs_chromium
from grid_assets_tests.dashboard import made_up
from grid_assets_tests.dashboard.browsing import opened

pytestmark = needs_chromium

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A page whose forecast of so many half-hours is lowest in the one that begins at `least`."""

    def made(now: datetime, least: datetime, *, steps: int = 96) -> Path:
        rows = [made_up.forecast(now, n, 100 + n / 4) for n in range(steps)]
        rows = [{**row, "p50": Decimal(10)} if row["at"] == least else row for row in rows]
        file = tmp_path / "dashboard.html"
        write_whole(file, page.render(Snapshot(now, made_up.feeds(now, rows)), Stamp("replay", 3)))
        return file

    return made


@pytest.mark.parametrize(
    ("now", "least", "chosen", "expected"),
    [
        # a day of 25 hours and one of 23; the clocks change at 01:00 UTC
        ("2026-10-24T23:15Z", "2026-10-26T00:00Z", "&by=00:30", "from 00:00 to 00:30 tomorrow"),
        ("2026-03-28T23:45Z", "2026-03-29T23:00Z", "", "from 00:00 to 00:30 on 30 Mar"),
        ("2026-10-24T22:00Z", "2026-10-25T00:30Z", "", "from 01:30 BST to 01:00 GMT tomorrow"),
        ("2026-12-31T23:10Z", "2027-01-01T00:00Z", "", "from 00:00 to 00:30 tomorrow"),
        ("2026-11-27T22:40Z", "2026-11-27T23:30Z", "", "from 23:30 to 00:00: "),
    ],
    ids=["long day", "short day", "twice", "new year", "to midnight"],
)
def test_days_and_times_are_those_of_london_s_calendar(
    write: Write, chromium: Browser, now: str, least: str, chosen: str, expected: str
) -> None:
    at = datetime.fromisoformat(now)
    file = write(at, datetime.fromisoformat(least))
    with opened(chromium, file, charts=1, clock=at, fragment=f"#hours=0.5{chosen}") as shown:
        expect(shown.locator("#answer-headline")).to_contain_text(expected)


NOON = datetime.fromisoformat("2026-11-27T12:05Z")
LEAST = NOON.replace(minute=0) + timedelta(hours=3)


def test_a_day_of_use_has_an_answer_whatever_its_deadline(write: Write, chromium: Browser) -> None:
    file = write(NOON, LEAST)
    with opened(chromium, file, charts=1, clock=NOON, fragment="#hours=24&by=12:15") as shown:
        expect(shown.locator("#answer-headline")).to_contain_text("from 12:30 to 12:30")
        expect(shown.locator("#answer-rest")).to_contain_text("no longer fit before 12:15 today")


def test_a_missed_deadline_after_midnight_is_not_of_today(write: Write, chromium: Browser) -> None:
    late = datetime.fromisoformat("2026-11-27T23:05Z")
    with opened(
        chromium, write(late, late), charts=1, clock=late, fragment="#hours=3&by=01:00"
    ) as shown:
        expect(shown.locator("#answer-rest")).to_contain_text("before 01:00 tomorrow")


def test_what_a_forecast_that_ends_early_does_not_reach_is_said(
    write: Write, chromium: Browser
) -> None:
    with opened(chromium, write(NOON, LEAST, steps=9), charts=1, clock=NOON) as shown:
        expect(shown.locator("#answer-rest")).to_contain_text("ends at 27 Nov 16:30")
        shown.get_by_label("Done by", exact=True).fill("16:30")
        expect(shown.locator("#answer-rest")).not_to_contain_text("ends at")


def test_the_mass_of_a_large_use_is_not_that_of_a_rounded_mean(
    write: Write, chromium: Browser
) -> None:
    file = write(NOON, LEAST)
    with opened(chromium, file, charts=1, clock=NOON, fragment="#hours=24&kw=600") as shown:
        # the 48 half-hours from the first on: 100.25, 100.5, ... 112, and one of 10 for 101.5
        sums = sum(Decimal(100) + Decimal(n) / 4 for n in range(1, 49)) + 10 - Decimal("101.5")
        grams = sums / 48 * 14400
        expect(shown.locator("#answer-rest")).to_contain_text(f"emit {grams / 1000:,.0f} kg")


def test_a_value_that_was_wrong_is_not_marked_for_ever(write: Write, chromium: Browser) -> None:
    with opened(chromium, write(NOON, LEAST), charts=1, clock=NOON) as shown:
        hours, power = (shown.get_by_label(name, exact=True) for name in ("Hours", "Kilowatts"))
        hours.fill("0")
        power.fill("3")
        expect(hours).to_have_attribute("aria-invalid", "true")
        expect(power).to_have_attribute("aria-invalid", "false")
        shown.get_by_label("What", exact=True).select_option("wash")
        expect(hours).to_have_attribute("aria-invalid", "false")


def test_a_link_that_is_opened_in_the_same_tab_is_followed(write: Write, chromium: Browser) -> None:
    with opened(chromium, write(NOON, LEAST), charts=1, clock=NOON) as shown:
        shown.evaluate("location.hash = '#hours=1&task=dry'")
        expect(shown.get_by_label("Hours", exact=True)).to_have_value("1")
        expect(shown.locator("#answer-headline")).to_contain_text("Dry")
        shown.get_by_label("Done by", exact=True).fill("07:00")
        shown.keyboard.press("Escape")
        shown.locator(".skip").focus()
        shown.keyboard.press("Enter")  # it has an address of its own, but chooses nothing
        expect(shown.get_by_label("Hours", exact=True)).to_have_value("1")
        expect(shown.get_by_label("Done by", exact=True)).to_have_value("07:00")
        assert "by=07%3A00" in shown.evaluate("location.hash")
        shown.evaluate("location.hash = '#hours=2'")
        expect(shown.get_by_label("Done by", exact=True)).to_have_value("")


def test_a_forecast_that_is_over_is_not_called_the_next_hours(
    write: Write, chromium: Browser
) -> None:
    file = write(NOON, LEAST)
    with opened(chromium, file, charts=1, clock=NOON + timedelta(hours=30)) as shown:
        expect(shown.locator("#forecast-says")).to_contain_text("between 115.0 gCO2/kWh at 28 Nov")
    with opened(chromium, file, charts=1, clock=NOON + timedelta(hours=48)) as shown:
        expect(shown.locator("#forecast-says")).to_contain_text("has ended")


LISTEN = """() => {
  window.heard = [];
  for (const one of document.querySelectorAll("[aria-live], [role=status]"))
    new MutationObserver(() => window.heard.push(one.id || one.className))
      .observe(one, { childList: true, characterData: true, subtree: true });
}"""


def test_an_old_page_does_not_chatter_and_leaves_the_focus(write: Write, chromium: Browser) -> None:
    file = write(NOON, LEAST)
    context = chromium.new_context(offline=True)
    shown = context.new_page()
    shown.clock.install(time=NOON + timedelta(hours=5))
    shown.goto(file.as_uri())
    expect(shown.locator("#old")).to_be_visible()
    chart = shown.locator("#forecast-chart svg")
    chart.focus()
    shown.keyboard.press("ArrowRight")
    first = chart.element_handle()
    shown.evaluate(LISTEN)
    shown.clock.run_for(180_000)
    assert shown.evaluate("drawn => !drawn.isConnected", first)  # it was drawn anew
    assert shown.evaluate("window.heard") == []
    expect(chart).to_be_focused()
    expect(shown.locator("#forecast-chart .tip")).to_be_visible()
    context.close()


def test_a_tap_shows_values_until_the_next(write: Write, chromium: Browser) -> None:
    file = write(NOON, LEAST)
    with opened(
        chromium, file, charts=1, clock=NOON, width=390, has_touch=True, is_mobile=True
    ) as shown:
        shown.locator("#forecast-chart svg").tap()
        tip = shown.locator("#forecast-chart .tip")
        expect(tip).to_be_visible()
        box = tip.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        shown.locator("#answer-title").tap()
        expect(tip).to_be_hidden()


def test_a_region_speaks_by_the_model_that_forecasts_it_not_by_what_was_published(
    tmp_path: Path, chromium: Browser
) -> None:
    """The half-hour that has begun is NESO's, as published: nothing was issued for it."""
    first = floor(NOON)
    shares = dict.fromkeys((f"{fuel}_pct" for fuel in FUELS), None)
    newest = [
        {
            "region_id": region.region_id,
            "short_name": region.short_name,
            # half of the regions are missing, and all of the nations
            "period_start": first if region.region_id < 8 else None,
            "intensity_gco2_kwh": 100 if region.region_id < 8 else None,
            "intensity_index": None,
            "simulated": False,
            **shares,
        }
        for region in REGIONS
    ]
    ahead = [
        {
            **made_up.forecast(NOON, n, 90, "blend", derived=True, neso=Decimal(95)),
            "region_id": 1,
            "period_start": first + n * HALF_HOUR,
        }
        for n in range(1, 96)
    ]
    score = {"lead_bucket": "0-3h", "n": 9, "mae": Decimal("7.5"), "bias": Decimal(0)}
    scores = [{"region_id": 1, "model": "blend", "simulated": False, **score}]
    found = made_up.feeds(
        NOON, regional_now=newest, regional_forecast=ahead, regional_accuracy=scores
    )
    file = tmp_path / "dashboard.html"
    write_whole(file, page.render(Snapshot(NOON, found), Stamp("live")))
    # the clock stands where that half-hour begins, so that it has not begun in a strict sense
    with opened(chromium, file, charts=1, clock=first, fragment="#region=1") as shown:
        expect(shown.locator("#answer-rest")).to_contain_text("By blend (derived)")
        expect(shown.locator("#place-accuracy")).to_contain_text("blend is off by 7.5")
        names = shown.locator("#forecast-chart .legend > *").all_inner_texts()
        assert names == ["blend (derived)", "neso"]
        expect(shown.locator("#regions-says")).to_contain_text("with 100 gCO2/kWh")
        shown.locator("[data-region='9']").click()
        expect(shown.locator("#now-intensity")).to_have_text("–")
        expect(shown.locator("#answer-headline")).to_have_text("No answer yet")
        expect(shown.locator("#forecast-says")).to_contain_text("no forecast for")
