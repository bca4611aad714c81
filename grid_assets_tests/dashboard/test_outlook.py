"""The panel of the outlook: what is shown of actual and expected, who published it, and what is
off, late or suspect."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from grid_assets.dashboard import outlook_panel, page, queries
from grid_assets.dashboard.outlook import Generation, Known, Newest, Outlook
from grid_assets.halfhours import DAY, HALF_HOUR, days_window, floor
from grid_assets.outlook.load import load_outlook
from grid_assets.outlook.publish import publish_outlook
from grid_assets.sources.publication import Publication
from grid_assets.telemetry.load import Capture
from grid_assets.warehouse.connection import Connection, connect, write_transaction
from grid_assets.warehouse.stamp import Stamp
from grid_assets_tests.outlook.conftest import publication

NOW = datetime(2026, 7, 1, 20, 10, tzinfo=UTC)
HERE = floor(NOW)
SOURCES_OF = {
    "wind_mw": "elexon_windfor",
    "embedded_wind_mw": "neso_embedded",
    "embedded_solar_mw": "neso_embedded",
    "demand_mw": "elexon_ndf",
}
LIVE = Stamp("live")


def known(series: str, place: int, value_mw: float, **more: Any) -> Known:
    """A value of the half-hour so many after the current one."""
    return Known(
        series,
        HERE + place * HALF_HOUR,
        more.pop("published_at", NOW - timedelta(hours=1)),
        value_mw,
        more.pop("source", SOURCES_OF[series]),
        more.pop("suspect", False),
        more.pop("simulated", False),
    )


def newest(
    series: str,
    age: timedelta = timedelta(hours=1),
    reason: str | None = None,
    source: str | None = None,
) -> Newest:
    return Newest(series, source or SOURCES_OF[series], NOW - age, reason is not None, reason)


HEALTHY = Outlook(
    NOW,
    generation=[
        Generation(HERE - 2 * HALF_HOUR, 9_000, 500, 30_000),
        Generation(HERE - HALF_HOUR, 10_000, None, 31_000),
    ],
    known=[
        *(known("wind_mw", place, 8_000 + place) for place in range(-3, 6)),
        *(known("embedded_wind_mw", place, 2_000) for place in range(-3, 4)),
        *(known("embedded_solar_mw", place, 100, simulated=True) for place in range(-3, 4)),
        *(known("demand_mw", place, 32_000) for place in range(3)),
        *(known("demand_mw", place, 33_000, source="neso_day_ahead_demand") for place in (3, 4)),
    ],
    newest=[newest(series) for series in SOURCES_OF],
)


@pytest.mark.unit
def test_a_line_goes_on_after_its_own_newest_actual_where_all_of_its_parts_are_known() -> None:
    ahead = HEALTHY.ahead()
    # 4 and 5 have no embedded wind; solar has no actual of the half-hour before
    assert ahead["wind"] == {
        HERE + place * HALF_HOUR: (10_000 + place) / 1000 for place in range(4)
    }
    assert min(ahead["solar"]) == HERE - HALF_HOUR
    assert HEALTHY.actual()["solar"] == {HERE - 2 * HALF_HOUR: 0.5}
    figure = outlook_panel.figure(HEALTHY)
    assert figure.chart is not None
    rows = {row[0]: row[1:] for row in figure.table[1]}
    assert rows["1 Jul 20:30"] == ("10.0", "–", "–", "0.1", "31.0", "–")
    assert rows["1 Jul 21:00"] == ("–", "10.0", "–", "0.1", "–", "32.0")
    assert "Wind is expected between 10.0 GW at 1 Jul 21:00 and 10.0 at 1 Jul 22:30" in (
        figure.summary
    )
    assert list(outlook_panel.warnings(HEALTHY)) == []


@pytest.mark.unit
def test_each_series_names_its_datasets_in_the_order_in_which_they_are_used() -> None:
    texts = dict(outlook_panel.publications(HEALTHY))
    assert texts["Demand"] == (
        "Elexon NDF of 1 Jul 20:10, to 1 Jul 22:30; then "
        "NESO day-ahead demand of 1 Jul 20:10, to 1 Jul 23:30"
    )
    assert "NESO embedded forecast (simulated)" in texts["Embedded solar"]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("outlook", "said"),
    [
        (
            replace(
                HEALTHY,
                off={"elexon": "Switched off: GRID_ELEXON_URL is empty."},
                generation=[],
                newest=[
                    newest("embedded_wind_mw"),
                    newest("embedded_solar_mw"),
                    newest("wind_mw", timedelta(hours=2), reason="used until it was switched off"),
                    newest("wind_mw", timedelta(hours=29), source="neso_day_ahead_wind"),
                    newest("demand_mw", timedelta(hours=29), source="neso_demand_2_14_days"),
                ],
            ),
            ["Elexon: Switched off: GRID_ELEXON_URL is empty."],
        ),
        (
            replace(
                HEALTHY,
                newest=[
                    *HEALTHY.newest[:1],
                    *HEALTHY.newest[2:],
                    newest("embedded_wind_mw", timedelta(hours=7)),
                ],
            ),
            [
                "The outlook of embedded wind is late: the newest NESO embedded forecast is from "
                "1 Jul 14:10, 7 h before this page was made."
            ],
        ),
        (
            replace(
                HEALTHY, newest=[*HEALTHY.newest[1:], newest("wind_mw", reason="differs by 50 %")]
            ),
            [
                "The newest Elexon WINDFOR (metered wind, published 1 Jul 20:10) is suspect, so "
                "forecasts use it only if there is no other: differs by 50 %"
            ],
        ),
        (
            replace(HEALTHY, generation=[Generation(HERE - DAY + HALF_HOUR, 1, 1, 1)]),
            ["Elexon's generation is late: the newest half-hour began at 30 Jun 21:30."],
        ),
        (
            Outlook(NOW),
            [
                "No outlook of demand has been captured yet (Elexon NDF).",
                "No outlook of metered wind has been captured yet (Elexon WINDFOR).",
                "No outlook of embedded solar has been captured yet (NESO embedded forecast).",
                "No outlook of embedded wind has been captured yet (NESO embedded forecast).",
                "Elexon's generation of the last 24 hours is missing.",
            ],
        ),
    ],
    ids=["off", "late", "suspect", "late generation", "empty"],
)
def test_what_is_off_late_or_suspect_is_said(outlook: Outlook, said: list[str]) -> None:
    assert list(outlook_panel.warnings(outlook)) == said


@pytest.mark.unit
def test_only_publishers_of_what_is_shown_are_named_with_the_year_of_their_data() -> None:
    elexon = "Contains BMRS data © Elexon Limited copyright and database right 2026."
    neso = "Supported by National Energy SO Open Data."
    assert outlook_panel.attribution(HEALTHY, LIVE) == f"{elexon} {neso}"
    recorded = outlook_panel.attribution(HEALTHY, Stamp("replay", 50))
    assert "database right 2025." in recorded
    without = replace(HEALTHY, generation=[], known=HEALTHY.known[9:12])
    assert outlook_panel.attribution(without, LIVE) == neso
    assert outlook_panel.attribution(Outlook(NOW), LIVE) == ""


# From a database.


@pytest.fixture
def filled(warehouse: SecretStr, connection: Connection) -> datetime:
    """A day of generation and two days of the outlook around now, which is returned."""
    now = datetime.now(UTC)
    here = floor(now)
    with connect(warehouse) as writer:
        for place in range(-60, 0):
            writer.execute(
                "INSERT INTO core.generation_mw (period_start, wind_mw, solar_mw, demand_mw) "
                "VALUES (%s, 9000, 1000, 30000)",
                [here + place * HALF_HOUR],
            )
        published = here - timedelta(hours=2)
        publications: list[Publication] = [
            publication(published, value, source=SOURCES_OF[series], series=series)
            for value, series in enumerate(SOURCES_OF, 5_000)
            if series != "wind_mw"
        ]
        wind = publication(
            published, [8_000.0] * 200, source="neso_day_ahead_wind", series="wind_mw"
        )
        with write_transaction(writer, "raw.outlook"):
            load_outlook(writer, [Capture([*publications, wind], here)], simulated=True)
        with write_transaction(writer, "core.outlook"):
            days = days_window((now - DAY).date(), now.date())
            publish_outlook(writer, days, now, lambda staged: None)
    return now


def test_the_panel_shows_what_the_database_knows(filled: datetime, connection: Connection) -> None:
    found = queries.read(connection, filled)
    assert found.outlook is not None
    here = floor(filled)
    assert {row.period_start for row in found.outlook.generation} == {
        here - place * HALF_HOUR for place in range(1, 48)
    }
    ahead = found.outlook.ahead()
    assert set(ahead["wind"].values()) == {13.001}
    assert min(ahead["wind"]) == here
    assert max(ahead["wind"]) == here + 91 * HALF_HOUR  # two days from the publication on

    html = page.render(found, Stamp("replay", 3))
    [panel] = re.findall(r'<section id="outlook".*?</section>', html, re.DOTALL)
    assert '<div class="chart" id="outlook-chart"></div>' in panel
    assert panel.count("<li>") == 4
    assert "NESO day-ahead wind (simulated)" in panel
    assert "National Energy SO Open Data" in panel
    assert 'id="accuracy-note"' in html  # the scores say that what they saw was simulated
    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html)
    chart = json.loads(data)["charts"]["outlook"]
    wind, solar, demand = (line["name"] for line in chart["lines"])
    assert (wind, solar, demand) == ("wind, embedded included", "embedded solar", "demand")
    # 47 half-hours are measured, 92 are expected, and of the last four nothing is known
    assert len(chart["times"]) == 47 + 96
    [line] = [line for line in chart["lines"] if line["name"] == wind]
    assert line["values"] == 47 * [9] + 96 * [None]
    assert line["ahead"] == 47 * [None] + 92 * [13] + 4 * [None]
