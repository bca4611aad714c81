"""Whether the outlook is recent: what each series is judged by, and that all places agree."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from grid_assets.dashboard import outlook_panel
from grid_assets.dashboard.outlook import read as read_panel
from grid_assets.halfhours import Window, floor
from grid_assets.health import outlook as in_status
from grid_assets.outlook import recent
from grid_assets.outlook.checks import judge_recent, judge_warnings
from grid_assets.outlook.sources import Source
from grid_assets.settings import PUBLIC_ELEXON_URL, PUBLIC_NESO_PORTAL_URL, Settings
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.outlook.conftest import HOUR

INSERT: Final = (
    "INSERT INTO core.outlook (series, source, published_at, captured_at, known_from, starts_at, "
    "value_mw) VALUES (%s, %s, %s, %s, %s, "
    "date_bin('30 minutes', %s + interval '30 minutes', '2000-01-01'), %s)"
)
OFF: Final[Mapping[Source, str]] = {"elexon": "Elexon is off.", "neso_portal": "NESO is off."}

OF_PORTAL: Final = {"neso_day_ahead_wind": 29, "neso_demand_2_14_days": 29, "neso_embedded": 2}
OF_ELEXON: Final = {"elexon_windfor": 2, "elexon_ndf": 2}


def add(
    connection: Connection, source: str, published_at: datetime, known_from: datetime | None = None
) -> None:
    known = known_from or published_at
    for series, datasets in recent.DATASETS.items():
        if source in datasets:
            values = [series, source, published_at, known, known, known, [1.0] * 96]
            connection.execute(INSERT, values)


def places(connection: Connection, off: Collection[Source], now: datetime) -> list[list[str]]:
    """The datasets that are called late by the check, `grid status` and the dashboard."""
    reasons = {source: OFF[source] for source in off}
    settings = Settings(
        elexon_url=None if "elexon" in off else PUBLIC_ELEXON_URL,
        neso_portal_url=None if "neso_portal" in off else PUBLIC_NESO_PORTAL_URL,
    )
    said = [
        " ".join(judge_recent(connection, off, now).examples),
        " ".join(
            line
            for line in in_status.report(connection, settings, "live", now)
            if "warning" in line
        ),
        " ".join(
            line
            for line in outlook_panel.warnings(read_panel(connection, now, reasons))
            if "outlook of" in line
        ),
    ]
    titles = ("WINDFOR", "Elexon NDF", "embedded forecast", "day-ahead wind", "demand 2 to 14")
    return [[title for title in titles if title in text] for text in said]


@pytest.mark.parametrize(
    ("ages", "off", "late"),
    [
        ({**OF_ELEXON, **OF_PORTAL}, [], []),
        (OF_PORTAL, ["elexon"], []),
        ({**OF_PORTAL, "elexon_windfor": 90, "elexon_ndf": 90}, ["elexon"], []),
        ({**OF_ELEXON, "neso_embedded": 90, "neso_day_ahead_wind": 90}, ["neso_portal"], []),
        ({**OF_PORTAL, "neso_day_ahead_wind": 31}, ["elexon"], ["day-ahead wind"]),
        (
            {**OF_ELEXON, **OF_PORTAL, "elexon_windfor": 7, "neso_day_ahead_wind": 1},
            [],
            ["WINDFOR"],
        ),
        (OF_ELEXON, [], ["embedded forecast"]),
        ({}, ["elexon"], ["embedded forecast", "day-ahead wind", "demand 2 to 14"]),
    ],
    ids=[
        "healthy",
        "the portal alone, healthy",
        "Elexon switched off after use",
        "the portal switched off after use",
        "the portal's daily file late",
        "another source is fresh",
        "never captured",
        "empty",
    ],
)
def test_the_check_the_status_and_the_dashboard_call_the_same_series_late(
    connection: Connection, ages: Mapping[str, float], off: list[Source], late: list[str]
) -> None:
    now = datetime.now(UTC)
    for source, hours in ages.items():
        add(connection, source, now - hours * HOUR)
    assert places(connection, off, now) == [late, late, late]


def test_an_old_publication_that_is_captured_again_does_not_look_like_a_new_one(
    connection: Connection,
) -> None:
    now = datetime.now(UTC)
    add(connection, "elexon_windfor", now - 3 * 24 * HOUR)
    add(connection, "elexon_windfor", now - 8 * HOUR)
    add(connection, "elexon_windfor", now - 3 * 24 * HOUR, known_from=now - HOUR / 2)
    newest = "SELECT published_at FROM reporting.outlook_newest"
    assert connection.execute(newest).fetchall() == [(now - 8 * HOUR,)]
    assert places(connection, ["neso_portal"], now)[0] == ["WINDFOR", "Elexon NDF"]

    # one with revised values counts as what was known last of it; one of the future does not count
    add(connection, "elexon_windfor", now - 8 * HOUR, known_from=now - HOUR / 3)
    add(connection, "elexon_windfor", now + HOUR, known_from=now - HOUR)
    add(connection, "elexon_windfor", now - HOUR, known_from=now + HOUR)
    known = "SELECT published_at, known_from FROM reporting.outlook_newest"
    assert connection.execute(known).fetchall() == [(now - 8 * HOUR, now - HOUR / 3)]


def test_the_newest_publications_are_found_through_an_index(connection: Connection) -> None:
    """Half a year of NDF and of WINDFOR; without the index every row would be sorted."""
    for series, source, minutes in (
        ("demand_mw", "elexon_ndf", 30),
        ("wind_mw", "elexon_windfor", 180),
    ):
        connection.execute(
            "INSERT INTO core.outlook (series, source, published_at, captured_at, known_from, "
            "starts_at, value_mw) SELECT %s, %s, at, at, at, "
            "date_bin('30 minutes', at + interval '30 minutes', '2000-01-01'), '{1,2}' FROM "
            "generate_series(now() - interval '180 days', now(), %s * interval '1 minute') AS at",
            [series, source, minutes],
        )
    connection.execute("ANALYZE core.outlook")
    plan = connection.execute("EXPLAIN SELECT * FROM reporting.outlook_newest").fetchall()
    text = "\n".join(line for (line,) in plan)
    assert "Index Scan Backward using outlook_pk" in text, text
    assert "Seq Scan on outlook" not in text, text


def test_the_order_of_datasets_is_that_of_the_database(connection: Connection) -> None:
    ordered: dict[str, tuple[str, ...]] = {}
    for series, source in connection.execute(
        "SELECT series, source FROM core.outlook_sources WHERE source <> 'neso_day_ahead_demand' "
        "ORDER BY series, head_start DESC"
    ).fetchall():
        ordered[series] = (*ordered.get(series, ()), source)
    assert ordered == recent.DATASETS


@pytest.mark.parametrize(("off", "total"), [((), 1), (("elexon",), 0)])
def test_generation_is_not_late_while_elexon_is_switched_off(
    connection: Connection, off: tuple[Source, ...], total: int
) -> None:
    now = datetime.now(UTC)
    connection.execute(
        "INSERT INTO core.generation_mw (period_start, gas_mw) "
        "VALUES (date_bin('30 minutes', %s, '2000-01-01'), 1)",
        [now - 5 * HOUR],
    )
    window = Window(floor(now) - timedelta(days=1), floor(now))
    verdicts = judge_warnings("core.generation_mw", off, connection, window, now)
    assert [one.total for one in verdicts if one.check.name == "is_recent"] == [total]
