"""The page's text, tables and escaping, without a browser; its data from a real database."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from pydantic import SecretStr

from grid_assets.dashboard import page, queries
from grid_assets.dashboard.charts import model_labels
from grid_assets.dashboard.queries import (
    Accuracy,
    Greenest,
    HourOfAttempts,
    Intensity,
    Predicted,
    Snapshot,
)
from grid_assets.dashboard.value import Value
from grid_assets.halfhours import DAY, HALF_HOUR, floor
from grid_assets.series import FUELS, MODELS
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.stamp import Stamp
from grid_assets.warehouse.statements import sql_dir
from grid_assets_tests.archive import forget
from grid_assets_tests.dashboard import made_up

Rows = Callable[..., list[tuple[Any, ...]]]

NOW = datetime(2026, 7, 1, 20, 10, tzinfo=UTC)
HOSTILE = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(1)> \u2028 &amp; \"'"


class _Text(HTMLParser):
    """The text that a reader sees, and the page's data block."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []
        self.tags: list[str] = []
        self.data = ""
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("script", "style"):
            self._inside = dict(attrs).get("id") or tag

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "data":
            self.data += data
        elif not self._inside:
            self.shown.append(data)


def seen(html: str) -> _Text:
    parsed = _Text()
    parsed.feed(html)
    return parsed


def text(html: str) -> str:
    return " ".join(" ".join(seen(html).shown).split())


def render(found: Snapshot, kind: str = "live") -> str:
    stamp = Stamp("live") if kind == "live" else Stamp("replay", 3)
    return page.render(found, stamp, "window.vegaEmbed = null;")


def predicted(n: int, p50: float, model: str = "chronos:x", **more: Any) -> Predicted:
    values: dict[str, Any] = {
        "model": model,
        "issued_at": floor(NOW),
        "period_start": floor(NOW) + n * HALF_HOUR,
        "p10": Decimal(p50 - 10),
        "p50": Decimal(p50),
        "p90": Decimal(p50 + 10),
        "simulated": False,
    }
    return Predicted(**(values | more))


# What is read.


def test_the_facts_are_the_rows_of_the_database(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now)

    found = queries.read(connection, now)

    newest = floor(now) - HALF_HOUR
    assert found.newest_intensity == Intensity(newest, Decimal(100), "moderate")
    assert found.newest_mix is not None
    start, shares = found.newest_mix
    assert (start, shares["wind"], sum(share or 0 for share in shares.values())) == (
        newest,
        Decimal("30.0"),
        Decimal(100),
    )
    assert set(shares) == set(FUELS)
    [(count,)] = rows("SELECT count(*) FROM reporting.telemetry_24h")
    assert len(found.intensity) == len(found.mix) == count
    assert found.model == made_up.MODEL
    # what has begun cannot be used any more
    ahead = floor(now) + HALF_HOUR
    assert [one.period_start for one in found.upcoming()] == [
        ahead + n * HALF_HOUR for n in range(95)
    ]
    assert {one.issued_at for one in found.upcoming()} == {floor(now)}
    # the last day has one forecast, which was a day old, and not a mixture of leads
    past = [one for one in found.of(made_up.MODEL) if one.period_start < ahead]
    assert len(past) in (count, count - 1)  # the oldest half-hour begins up to 24 hours ago
    assert {one.issued_at for one in past} == {floor(now) - DAY}
    assert found.past_issue == floor(now) - DAY


def test_scores_are_weighted_by_the_number_of_forecasts(
    warehouse: SecretStr, connection: Connection
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now)
    scored = {(one.model, one.lead_bucket): one for one in queries.read(connection, now).accuracy}
    ours = scored[made_up.MODEL, "0-3h"]
    assert (ours.n, ours.mae) == (40, 25)  # (100 + 900) / 40, and not (10 + 30) / 2
    assert ours.inside_pct is not None
    assert round(ours.inside_pct, 1) == 75  # (5 + 25) / 40
    assert scored["neso", "0-3h"].inside_pct is None
    assert scored["neso", "0-3h"].simulated


def test_what_forecasts_are_worth_is_weighted_by_the_number_of_cases(
    warehouse: SecretStr, connection: Connection
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now)
    found = queries.read(connection, now)
    [ours] = [v for v in found.values if (v.model, v.wait_hours) == (made_up.MODEL, 24)]
    assert (ours.n, ours.saved_gco2_kwh, ours.best_gco2_kwh) == (40, 6, 9)  # not (12 + 4) / 2
    assert round(ours.worse_pct, 1) == 10
    shown = text(render(found))
    assert (
        f"By the forecast of {made_up.MODEL}, a use that may wait 24 hours saved 6.0 gCO2/kWh, "
        "67 % of the best possible, and 10 % of the uses emitted more than at once." in shown
    )
    assert f"24 hours {made_up.MODEL} 40 6.0 67 % 10 % 24 hours neso (simulated) 40" in shown


def test_a_span_in_which_nothing_could_be_saved_has_no_share_of_the_best() -> None:
    flat = Value("chronos:x", 12, 5, Decimal(0), Decimal(0), Decimal(0), False)
    shown = text(render(Snapshot(NOW, values=[flat])))
    assert "12 hours chronos:x 5 0.0 – 0 %" in shown
    assert "saved 0.0 gCO2/kWh, and 0 % of the uses" in shown


def test_an_attempt_that_makes_the_page_is_not_on_it_and_others_are_counted(
    warehouse: SecretStr,
    connection: Connection,
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now)
    made_up.note_attempt(warehouse, "raw.intensity", now - timedelta(hours=30), written=7)
    made_up.note_attempt(warehouse, "files.dashboard", now, running=True)
    last = {one.asset: one for one in queries.read(connection, now).last_attempts}
    assert set(last) == {"raw.intensity", "core.intensity"}
    raw, core = last["raw.intensity"], last["core.intensity"]
    assert (raw.status, raw.attempts_24h, raw.failures_24h) == ("success", 1, 0)
    assert (raw.written_24h, raw.rejected_24h) == (48, 2)
    assert (core.status, core.failures_24h, core.error_message) == ("failed", 1, "Out of luck.")


def test_it_reads_reporting_and_nothing_else() -> None:
    queries = [
        re.sub("--.*", "", path.read_text(encoding="utf-8"))
        for path in (sql_dir() / "dashboard").glob("*.sql")
    ]
    assert queries
    for query in queries:
        found = set(re.findall(r"\b(raw|core|forecast|ops|reporting)\.(?=[a-z])", query))
        assert found == {"reporting"}


def test_old_telemetry_is_still_shown_as_the_newest_with_its_age(
    warehouse: SecretStr, connection: Connection
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now - 3 * DAY)
    found = queries.read(connection, now)
    assert found.intensity == []
    assert found.mix == []
    shown = text(render(found))
    assert shown.count("3 days before this page was made – late.") == 2
    assert shown.count("UTC – late") == 2


# What is chosen from it.


def test_the_blend_speaks_then_our_newest_model_and_others_stand_in_for_it() -> None:
    blend = predicted(1, 1, "blend", issued_at=floor(NOW) - HALF_HOUR)
    naive, neso = predicted(1, 1, "seasonal_naive"), predicted(1, 1, "neso")
    older = predicted(1, 1, "chronos:old", issued_at=floor(NOW) - HALF_HOUR)
    newer = predicted(1, 1, "chronos:new")
    trees = predicted(1, 1, "gradient_boosting", issued_at=floor(NOW) - HALF_HOUR)
    assert Snapshot(NOW, predicted=[older, naive, neso, newer, blend]).model == "blend"
    assert Snapshot(NOW, predicted=[older, naive, neso, newer, trees]).model == "chronos:new"
    assert Snapshot(NOW, predicted=[neso, naive, trees]).model == "gradient_boosting"
    assert Snapshot(NOW, predicted=[neso, naive]).model == "seasonal_naive"
    assert Snapshot(NOW, predicted=[neso]).model == "neso"
    assert Snapshot(NOW, predicted=[predicted(0, 1)]).model is None  # it has begun


def test_scores_are_shown_in_the_order_of_models() -> None:
    order = ["blend", "chronos:a", "chronos:b", *MODELS[2:], "unknown"]
    scores = [queries.Accuracy(name, "0-3h", 1, Decimal(1), None, False) for name in order]
    assert list(model_labels(Snapshot(NOW, accuracy=scores[::-1]))) == order


def test_the_next_hours_have_not_begun_and_name_the_issues_they_come_from() -> None:
    older = floor(NOW) - timedelta(hours=3)
    rows = [predicted(n, 100 + n) for n in range(1, 20)]
    found = Snapshot(NOW, predicted=[predicted(0, 100, issued_at=older), *rows])
    assert [row.period_start for row in found.next_hours()] == [
        floor(NOW) + n * HALF_HOUR for n in range(1, 13)
    ]
    shown = text(render(found))
    assert "issued 1 Jul 20:00 UTC." in shown
    at_the_boundary = Snapshot(floor(NOW), predicted=[predicted(n, 100) for n in range(20)])
    assert at_the_boundary.next_hours()[0].period_start == floor(NOW)
    rows[0] = predicted(1, 100, issued_at=older)
    mixed = text(render(Snapshot(NOW, predicted=rows)))
    assert "issued 1 Jul 17:00 UTC to 1 Jul 20:00 UTC." in mixed


def test_fuels_are_listed_by_their_share_in_the_bars_and_in_the_legend() -> None:
    share: dict[str, Decimal | None] = dict.fromkeys(FUELS, Decimal(0))
    share |= {"gas": Decimal(50), "wind": Decimal(30), "solar": Decimal(20), "other": None}
    at = floor(NOW) - HALF_HOUR
    html = render(Snapshot(NOW, mix=[(at, share)], newest_mix=(at, share)))
    bars = re.findall(r"<li><span>(\w+)</span>", html)
    assert bars[:3] == ["gas", "wind", "solar"]
    assert sorted(bars) == sorted(FUELS)
    assert re.findall(r'<button type="button" aria-pressed="false" value="(\w+)">', html) == bars


def test_the_greenest_hours_are_those_of_greenest_window_for_the_pages_model(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now)
    ahead = floor(now) + HALF_HOUR
    when = "model = %s AND period_start "

    def greenest() -> Greenest | None:
        return queries.read(connection, now).greenest

    def stretch(first: int, *medians: int) -> Greenest:
        start = ahead + first * HALF_HOUR
        return Greenest(start, start + timedelta(hours=3), Decimal(sum(medians)) / 6)

    assert greenest() == stretch(0, 151, 152, 153, 154, 95, 156)
    forget(warehouse, when + "= %s", made_up.MODEL, ahead + HALF_HOUR)  # a gap is not bridged
    assert greenest() == stretch(2, 153, 154, 95, 156, 157, 158)
    # too few for three hours
    forget(warehouse, when + ">= %s", made_up.MODEL, ahead + 4 * HALF_HOUR)
    assert greenest() is None
    forget(warehouse, when + ">= %s", made_up.MODEL, ahead)  # NESO's are 7 g higher
    assert greenest() == stretch(0, 158, 159, 160, 161, 102, 163)


# What is said.


def test_an_empty_warehouse_gives_a_page_that_says_so_everywhere(
    warehouse: SecretStr, connection: Connection
) -> None:
    html = render(queries.read(connection, NOW))
    shown = text(html)
    assert json.loads(seen(html).data)["charts"] == {}
    assert shown.count("No data in 30 days.") == 2
    assert shown.count("No data yet.") == 6
    for said in (
        "No forecast yet.",
        "There is no generation mix for the last 24 hours yet.",
        "There are no actuals for the last 24 hours and no forecast yet.",
        "No forecast has been scored yet.",
        "No band has been scored yet.",
        "No use that waits has come true yet.",
        "Nothing has run in the last 24 hours.",
        "Nothing has run yet.",
    ):
        assert said in shown


def test_recorded_data_and_simulated_forecasts_are_named_and_live_ones_are_not() -> None:
    found = Snapshot(
        NOW,
        predicted=[predicted(0, 100), predicted(0, 90, "neso", simulated=True)],
        accuracy=[Accuracy("neso", "0-3h", 5, Decimal(9), None, True)],
    )
    recorded = text(render(found, "replay"))
    assert "RECORDED data (replay), not live" in recorded
    assert recorded.count("neso (simulated)") >= 3
    assert "RECORDED" not in render(Snapshot(NOW))


def test_times_are_utc_and_london_is_named_with_its_summer_zone() -> None:
    found = Snapshot(NOW, newest_intensity=Intensity(NOW - HALF_HOUR, Decimal(1), "low"))
    assert "Made on 1 Jul 20:10 UTC (21:10 BST in London), 2026." in text(render(found))


def test_nothing_is_drawn_through_a_gap() -> None:
    starts = [floor(NOW) - n * HALF_HOUR for n in (4, 3, 1)]
    found = Snapshot(NOW, intensity=[Intensity(at, Decimal(50), None) for at in starts])
    spec = json.loads(seen(render(found)).data)["charts"]["intensity"]
    chart_label = [row["actual"] for row in spec["data"]["values"]][-4:]
    assert chart_label == [50, 50, None, 50]


def test_every_chart_has_its_summary_as_description_and_a_table() -> None:
    share: dict[str, Decimal | None] = dict.fromkeys(FUELS, Decimal(0))
    share |= {"wind": Decimal(60), "gas": Decimal(40)}
    found = Snapshot(
        NOW,
        intensity=[Intensity(floor(NOW) - HALF_HOUR, Decimal(50), None)],
        mix=[(floor(NOW) - HALF_HOUR, share)],
        predicted=[predicted(n, 100 + n) for n in range(4)],
        accuracy=[Accuracy("chronos:x", "0-3h", 5, Decimal(9), Decimal(80), False)],
        attempts_by_hour=[HourOfAttempts(NOW.replace(minute=0), "failed", 2)],
    )
    html = render(found)
    specs = json.loads(seen(html).data)["charts"]
    assert set(specs) == {"mix", "intensity", "errors", "coverage", "attempts"}
    for name, spec in specs.items():
        summary = spec["description"].split(". ", 1)[1]
        assert summary in text(html)
        assert f'<details id="{name}-table">' in html
    assert (
        "Over 1 half-hours, most power came from wind (60.0 % on average), then gas (40.0 %)"
        in html
    )
    assert "between 101.0 at 1 Jul 20:30 and 103.0 at 1 Jul 21:30" in html
    assert "2 attempts in 24 hours, 2 of them failed or crashed." in html


# Text that means harm.


@pytest.mark.parametrize("library", ["a = '</script>'", "a = '<!--'"])
def test_a_library_that_would_end_its_own_script_is_refused(library: str) -> None:
    with pytest.raises(ValueError, match="end it early"):
        page.render(Snapshot(NOW), Stamp("live"), library)


def test_text_from_the_database_is_shown_and_makes_no_tag() -> None:
    calm = seen(render(hostile_facts("calm")))
    html = render(hostile_facts(HOSTILE))
    parsed = seen(html)
    assert parsed.tags == calm.tags
    shown = " ".join(parsed.shown)
    assert shown.count(HOSTILE) >= 6
    specs = json.loads(parsed.data)["charts"]
    chart_label = HOSTILE.replace("\u2028", "\N{REPLACEMENT CHARACTER}")
    assert chart_label in [row["model"] for row in specs["errors"]["data"]["values"]]
    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    assert not set(data) & set("<>&\u2028\u2029")


def hostile_facts(name: str) -> Snapshot:
    return Snapshot(
        NOW,
        newest_intensity=Intensity(floor(NOW) - HALF_HOUR, Decimal(1), name),
        predicted=[predicted(n, 100, name) for n in range(8)],
        accuracy=[Accuracy(name, "0-3h", 5, Decimal(9), Decimal(80), False)],
        values=[Value(name, 12, 5, Decimal(9), Decimal(10), Decimal(0), False)],
        last_attempts=[
            queries.LastAttempt(name, "failed", NOW - HALF_HOUR, 5, name, 1, 1, 0, 0),
        ],
    )
