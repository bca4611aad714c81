"""The page's text, tables and escaping, without a browser; its data from a real database."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

from pydantic import SecretStr

from grid_assets.dashboard import page, queries
from grid_assets.dashboard.queries import (
    Accuracy,
    HourOfAttempts,
    Intensity,
    Predicted,
    Snapshot,
)
from grid_assets.dashboard.theme import at
from grid_assets.dashboard.value import Value
from grid_assets.feeds.documents import STEPS, documents
from grid_assets.feeds.read import Row, read
from grid_assets.halfhours import DAY, HALF_HOUR, floor
from grid_assets.regions import REGIONS
from grid_assets.series import FUELS
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.stamp import Stamp
from grid_assets.warehouse.statements import sql_dir
from grid_assets_tests.archive import forget
from grid_assets_tests.dashboard import made_up, places
from grid_assets_tests.dashboard.made_up import feeds, forecast

Rows = Callable[..., list[tuple[Any, ...]]]

NOW = datetime(2026, 7, 1, 20, 10, tzinfo=UTC)
HOSTILE = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(1)> \u2028 &amp; \"'"


class _Text(HTMLParser):
    """The text that a reader sees, the page's data block and its script."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []
        self.tags: list[str] = []
        self.data = ""
        self.script = ""
        self.policy = ""
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.policy = dict(attrs)["content"] or ""
        if tag in ("script", "style"):
            self._inside = dict(attrs).get("id") or tag

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "data":
            self.data += data
        elif self._inside == "script":
            self.script += data
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
    return page.render(found, stamp)


def charts(html: str) -> Any:
    return json.loads(seen(html).data)["charts"]


def empty(**more: Any) -> Snapshot:
    """A page's data without anything but this."""
    return Snapshot(NOW, feeds(NOW), **more)


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


def windows(rows: Sequence[Row]) -> list[Row]:
    """The greenest windows of Great Britain, as if all half-hours were equal."""
    return [
        {
            "region_id": None,
            "hours": hours,
            "starts_at": rows[1]["at"],
            "ends_at": rows[1]["at"] + timedelta(hours=hours),
            "mean_gco2_kwh": rows[1]["p50"],
            "saved_gco2_kwh": Decimal(0),
            "model": rows[1]["model"],
            "issued_at": rows[1]["issued_at"],
            "forecast_to": rows[-1]["at"] + HALF_HOUR,
        }
        for hours in (1, 3)
    ]


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
    assert [row["at"] for row in found.feeds.forecast] == [
        floor(now) + n * HALF_HOUR for n in range(STEPS)
    ]
    assert {(row["model"], row["issued_at"]) for row in found.feeds.forecast} == {
        (made_up.MODEL, floor(now))
    }
    assert found.issued_at == floor(now)
    # the last day has one forecast, which was a day old, and not a mixture of leads
    past = found.of(made_up.MODEL)
    assert [one.period_start for one in past] == [
        floor(now) - n * HALF_HOUR for n in range(47, 0, -1)
    ]
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
    shown = text(render(empty(values=[flat])))
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
        for folder in ("dashboard", "feeds")
        for path in (sql_dir() / folder).glob("*.sql")
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
    newest = at(floor(now) - 3 * DAY - HALF_HOUR)
    assert f"newest actual intensity {newest} – late" in shown
    assert f"newest generation mix {newest} – late" in shown
    assert "newest forecast issued none – late" in shown


# What is chosen from it.


def test_the_model_of_the_first_half_hour_that_has_not_begun_speaks() -> None:
    def model(now: datetime, *rows: Row) -> str | None:
        return Snapshot(now, feeds(now, rows)).model

    begun, ahead = forecast(NOW, 0, 1, "blend"), forecast(NOW, 2, 1, "neso")
    assert model(NOW, begun, forecast(NOW, 1, 1, "chronos:x"), ahead) == "chronos:x"
    assert model(NOW, begun, ahead) == "neso"  # nobody forecasts the next half-hour
    assert model(NOW, begun) is None
    assert model(floor(NOW), begun, ahead) == "blend"  # it begins now


def test_another_model_stands_in_where_ours_has_no_forecast(
    warehouse: SecretStr, connection: Connection
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now)
    assert queries.read(connection, now).model == made_up.MODEL
    forget(warehouse, "model = %s AND period_start > %s", made_up.MODEL, floor(now))
    found = queries.read(connection, now)
    assert found.model == "neso"
    assert {row["model"] for row in found.feeds.forecast[1:]} == {"neso"}


def test_without_javascript_the_page_names_the_greenest_three_hours_of_the_database(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now)
    earliest = floor(now) + HALF_HOUR
    [(start, end, mean, model)] = rows(
        "SELECT min(period_start), max(period_start) + interval '30 minutes', "
        "min(mean_gco2_kwh), min(forecast_model) "
        "FROM reporting.greenest_window(interval '3 hours', %s, %s)",
        earliest + DAY,
        earliest,
    )
    shown = text(render(queries.read(connection, now)))
    assert f": {at(start)} to {at(end)}, {mean:.1f} gCO2/kWh on average, by {model}." in shown


# What is said.


def test_an_empty_warehouse_gives_a_page_that_says_so_everywhere(
    warehouse: SecretStr, connection: Connection
) -> None:
    html = render(queries.read(connection, NOW))
    shown = text(html)
    assert charts(html) == {}
    # five charts, the outlook, and the forecast, which the script shows
    assert shown.count("No data yet.") == 7
    assert shown.count("none – late") == 3
    for said in (
        "Newest measured carbon intensity: none in two days.",
        "Regions are not captured here.",
        "There is no generation mix for the last 24 hours yet.",
        "There are no actuals for the last 24 hours yet.",
        "Nothing is known about the next days.",
        "No forecast has been scored yet.",
        "No band has been scored yet.",
        "No use that waits has come true yet.",
        "Nothing has run in the last 24 hours.",
        "Nothing has run yet.",
    ):
        assert said in shown


def test_recorded_data_and_simulated_forecasts_are_named_and_live_ones_are_not() -> None:
    rows = [forecast(NOW, n, 90, "neso", simulated=True) for n in range(9)]
    [window] = [row for row in windows(rows) if row["hours"] == page.GREEN]
    found = Snapshot(
        NOW,
        feeds(NOW, rows, greenest=[window]),
        predicted=[predicted(-1, 100), predicted(-1, 90, "neso", simulated=True)],
        accuracy=[Accuracy("neso", "0-3h", 5, Decimal(9), None, True)],
    )
    recorded = text(render(found, "replay"))
    assert "RECORDED data (replay), not live" in recorded
    assert "on average, by neso (simulated)." in recorded
    assert recorded.count("neso (simulated)") >= 4
    shown = json.loads(seen(render(found, "replay")).data)["feeds"]["forecast.json"]["half_hours"]
    assert [row["kind"] for row in shown] == 9 * ["simulated"] + (STEPS - 9) * [None]
    assert "RECORDED" not in render(empty())


def test_times_are_londons_with_the_zone_named() -> None:
    newest = {"actual_start": floor(NOW) - HALF_HOUR, "actual_gco2_kwh": 51}
    rows = feeds(NOW)
    found = Snapshot(NOW, replace(rows, newest={**rows.newest, **newest}))
    shown = text(render(found))
    assert "Made on 1 Jul 21:10, 2026. Times are London's (now BST)." in shown
    assert "51 gCO2/kWh, half-hour from 1 Jul 20:30." in shown
    winter = datetime(2026, 12, 1, 20, 10, tzinfo=UTC)
    shown = text(render(Snapshot(winter, feeds(winter))))
    assert "Made on 1 Dec 20:10, 2026. Times are London's (now GMT)." in shown


def test_a_time_names_its_zone_where_the_clock_shows_it_twice() -> None:
    first = datetime(2026, 10, 25, tzinfo=UTC)  # the clock goes back at 01:00 UTC
    assert [at(first + n * HALF_HOUR) for n in range(5)] == [
        "25 Oct 01:00 BST",
        "25 Oct 01:30 BST",
        "25 Oct 01:00 GMT",
        "25 Oct 01:30 GMT",
        "25 Oct 02:00",
    ]
    spring = datetime(2026, 3, 29, tzinfo=UTC)
    assert [at(spring + n * HALF_HOUR) for n in (1, 2)] == ["29 Mar 00:30", "29 Mar 02:00"]
    # the table of the forecast too
    html = render(Snapshot(first, feeds(first)))
    assert re.findall(r'<tr><th scope="row">25 Oct 01:30 (\w+)<', html) == ["BST", "GMT"]


def test_nothing_is_drawn_through_a_gap() -> None:
    starts = [floor(NOW) - n * HALF_HOUR for n in (4, 3, 1)]
    found = empty(intensity=[Intensity(start, Decimal(50), None) for start in starts])
    [actual] = charts(render(found))["record"]["lines"]
    assert actual["values"][-5:] == [50, 50, None, 50, None]


def test_every_chart_has_a_title_a_summary_and_a_table() -> None:
    share: dict[str, Decimal | None] = dict.fromkeys(FUELS, Decimal(0))
    share |= {"wind": Decimal(60), "gas": Decimal(40)}
    found = Snapshot(
        NOW,
        feeds(NOW, [forecast(NOW, n, 100 + n, "chronos:x") for n in range(4)]),
        intensity=[Intensity(floor(NOW) - HALF_HOUR, Decimal(50), None)],
        mix=[(floor(NOW) - HALF_HOUR, share)],
        predicted=[predicted(n, 100 + n) for n in (-1, 0)],
        accuracy=[Accuracy("chronos:x", "0-3h", 5, Decimal(9), Decimal(80), False)],
        attempts_by_hour=[HourOfAttempts(NOW.replace(minute=0), "failed", 2)],
    )
    html = render(found)
    specs = charts(html)
    assert set(specs) == {"mix", "record", "errors", "coverage", "attempts"}
    for name, spec in specs.items():
        assert spec["title"] in text(html)
        assert f'<div class="chart" id="{name}-chart">' in html
        assert re.search(f'<figcaption id="{name}-says">[^<]+</figcaption>', html)
        assert f'<details id="{name}-table">' in html
    assert (
        "Over 1 half-hours, most power came from wind (60.0 % on average), then gas (40.0 %)"
        in html
    )
    assert "It was between 50 gCO2/kWh at 1 Jul 20:30 and 50 at 1 Jul 20:30." in html
    assert "chronos:x was off by 49.0 on average." in html
    assert "2 attempts in 24 hours, 2 of them failed or crashed." in html


# Text that means harm.


def test_text_from_the_database_is_shown_and_makes_no_tag() -> None:
    calm = seen(render(hostile_facts("calm")))
    html = render(hostile_facts(HOSTILE))
    parsed = seen(html)
    assert parsed.tags == calm.tags
    shown = " ".join(parsed.shown)
    # index, window, forecast, the scores of two charts, value, and twice the last attempt
    assert shown.count(HOSTILE) >= 8
    data = json.loads(parsed.data)
    assert [part["name"] for part in data["charts"]["errors"]["parts"]] == [HOSTILE]
    assert data["feeds"]["forecast.json"]["half_hours"][0]["model"] == HOSTILE
    assert data["feeds"]["now.json"]["carbon_intensity"]["index"] == HOSTILE
    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    assert not set(data) & set("<>&\u2028\u2029")


def hostile_facts(name: str) -> Snapshot:
    start = floor(NOW) - HALF_HOUR
    rows = [forecast(NOW, n, 100, name) for n in range(9)]
    found = feeds(NOW, rows, greenest=windows(rows))
    newest = {"actual_start": start, "actual_gco2_kwh": 1, "intensity_index": name}
    return Snapshot(
        NOW,
        replace(found, newest={**found.newest, **newest}),
        newest_intensity=Intensity(start, Decimal(1), name),
        predicted=[predicted(n, 100, name) for n in (-1, 0)],
        accuracy=[Accuracy(name, "0-3h", 5, Decimal(9), Decimal(80), False)],
        values=[Value(name, 12, 5, Decimal(9), Decimal(10), Decimal(0), False)],
        last_attempts=[
            queries.LastAttempt(name, "failed", NOW - HALF_HOUR, 5, name, 1, 1, 0, 0),
        ],
    )


# What the script is given, and what it may do.


def test_the_page_contains_the_feeds_but_for_what_it_finds_itself(
    warehouse: SecretStr, connection: Connection
) -> None:
    now = datetime.now(UTC)
    made_up.fill(warehouse, now)
    places.fill(warehouse, now)
    made = documents(read(connection, now), "replay")
    html = render(queries.read(connection, now), "replay")
    embedded = json.loads(seen(html).data)["feeds"]

    assert embedded.keys() == made.keys() - {"greenest.json"}
    regions = {f"regions/{region.region_id}.json" for region in REGIONS}
    assert {"now.json", "forecast.json", "accuracy.json", *regions} <= embedded.keys()
    for name in embedded.keys() - {"postcodes.json"}:
        feed = {key: value for key, value in made[name].items() if key != "greenest"}
        assert embedded[name] == json.loads(json.dumps(feed)), name
    london = embedded["regions/13.json"]
    assert {row["kind"] for row in london["forecast"]["half_hours"]} == {"forecast"}
    # each region can be chosen from the list and from the map, and so can Great Britain
    for choice in (r'<option value="(\d+)">', r'data-region="(\d+)"'):
        assert sorted(map(int, re.findall(choice, html))) == list(range(len(REGIONS) + 1))
    assert len(html.encode()) < 1_000_000


def test_each_model_that_forecasts_has_its_colour() -> None:
    found = Snapshot(NOW, feeds(NOW, [forecast(NOW, 1, 1, "chronos:x"), forecast(NOW, 2, 1, "a")]))
    assert json.loads(seen(render(found)).data)["models"].keys() == {"chronos:x", "a", "neso"}


def test_without_regions_there_is_nothing_to_choose_but_great_britain() -> None:
    html = render(empty())
    assert re.findall(r'<option value="(\d+)">', html) == ["0"]
    assert "data-region=" not in html
    assert 'id="use-postcode"' not in html


def test_only_the_pages_script_may_run_and_only_the_pages_server_is_asked() -> None:
    parsed = seen(render(hostile_facts(HOSTILE)))
    policy = {name: rest for name, *rest in map(str.split, parsed.policy.split(";"))}
    digest = base64.b64encode(hashlib.sha256(parsed.script.encode()).digest()).decode()
    assert parsed.tags.count("script") == 2  # the data, which does not run, and the script
    assert policy["script-src"] == [f"'sha256-{digest}'"]
    assert (policy["default-src"], policy["connect-src"]) == (["'none'"], ["'self'"])
    assert "unsafe-eval" not in parsed.policy
