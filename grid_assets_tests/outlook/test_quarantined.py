"""Quarantined records of Elexon and the portal complete what was loaded, after a fix."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from grid_assets.halfhours import HALF_HOUR
from grid_assets.outlook import quarantined
from grid_assets.outlook.generation import together
from grid_assets.outlook.load import load_elexon_generation, load_outlook
from grid_assets.outlook.sources import ENDPOINTS, FUELHH, INDO
from grid_assets.sources.elexon.payloads import NDF, WINDFOR, GenerationRow
from grid_assets.sources.neso_portal import datasets
from grid_assets.sources.publication import Publication
from grid_assets.sources.records import TWICE, Rejected
from grid_assets.telemetry import quarantine
from grid_assets.telemetry.load import Capture
from grid_assets.warehouse.connection import Connection, connect, write_transaction
from grid_assets_tests.outlook.conftest import Half
from grid_assets_tests.sources.elexon import records as elexon
from grid_assets_tests.sources.neso_portal import bodies

Rows = Callable[..., list[tuple[Any, ...]]]

ISSUE = elexon.at("2026-05-05T05:30:00Z")
SEEN = ISSUE + timedelta(minutes=12)
HALF = "2026-05-05T05:00:00Z"
EMBEDDED = datasets.EMBEDDED.source
OLD_FAULT = "generation: an old fault"


@pytest.fixture
def open_connection(warehouse: Any) -> Any:
    with connect(warehouse) as connection:
        yield connection


@pytest.fixture
def keep(open_connection: Connection) -> Callable[..., None]:
    def keep(
        asset: str, dataset: str, *payloads: Any, reason: str = OLD_FAULT, at: datetime = SEEN
    ) -> None:
        rejects = [
            Rejected(reason, one if isinstance(one, str) else json.dumps(one)) for one in payloads
        ]
        quarantine.keep(
            open_connection, asset, ENDPOINTS[dataset], rejects, captured_at=at, run_id="run 1"
        )

    return keep


def hold(
    connection: Connection,
    values: dict[str, float],
    source: str = WINDFOR,
    series: str = "wind_mw",
    minutes: Any = 60,
    *,
    issue: datetime = ISSUE,
    at: datetime = SEEN,
) -> None:
    labels: dict[datetime, float | None] = {elexon.at(label): mw for label, mw in values.items()}
    publication = Publication(source, series, issue, minutes, labels)
    with write_transaction(connection, "raw.outlook"):
        load_outlook(connection, [Capture([publication], at)])


VALUES = (
    "SELECT source, series, published_at, captured_at, array_agg(value_mw ORDER BY period_start) "
    "FROM raw.outlook GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
)
STATES = "SELECT count(*) FILTER (WHERE resolved_at IS NULL), count(*) FROM ops.quarantine"
MICROSECOND = timedelta(microseconds=1)


def test_records_of_a_publication_complete_it_as_of_their_capture(
    open_connection: Connection, keep: Callable[..., None], rows: Rows
) -> None:
    hold(open_connection, {"2026-05-05T06:00Z": 6000, "2026-05-05T09:00Z": 9000})
    published = elexon.seconds(ISSUE)
    keep(
        "raw.outlook",
        WINDFOR,
        *(elexon.wind(published, f"2026-05-05T0{h}:00:00Z", 1000 * h) for h in (7, 8)),
    )
    tried = quarantined.replay(open_connection)
    assert (tried.accepted, dict(tried.left)) == (2, {})
    first, whole = rows(VALUES)
    assert (first[3], whole[3]) == (SEEN, SEEN + MICROSECOND)
    assert whole[4] == [6000, 7000, 8000, 9000]
    assert rows(STATES) == [(0, 2)]
    assert quarantined.replay(open_connection).accepted == 0


def test_a_publication_of_which_nothing_is_held_is_loaded_from_its_body(
    open_connection: Connection, keep: Callable[..., None], rows: Rows
) -> None:
    published = elexon.seconds(ISSUE)
    body = {"data": [elexon.demand(published, f"2026-05-05T0{h}:00:00Z") for h in (6, 7)]}
    keep("raw.outlook", NDF, body, reason="body: an old fault")
    assert quarantined.replay(open_connection).accepted == 1
    [(source, series, published_at, captured_at, values)] = rows(VALUES)
    assert (source, series, published_at, captured_at) == (NDF, "demand_mw", ISSUE, SEEN)
    assert values == [22_700, 22_700]


def test_fuels_and_demand_of_a_half_hour_complete_it(
    open_connection: Connection, keep: Callable[..., None], rows: Rows
) -> None:
    start = elexon.at(HALF)
    with write_transaction(open_connection, "raw.elexon_generation"):
        half = Half(start, {"WIND": 7000}, None, ISSUE)
        load_elexon_generation(open_connection, [Capture([half], SEEN)])
    keep(
        "raw.elexon_generation",
        FUELHH,
        elexon.fuel(HALF, "CCGT", 5000),
        elexon.fuel(HALF, "COAL", 0),
    )
    keep("raw.elexon_generation", INDO, elexon.outturn(HALF, 24_000))
    tried = quarantined.replay(open_connection)
    assert (tried.accepted, dict(tried.left)) == (3, {})
    assert rows(
        "SELECT generation_mw, demand_mw FROM raw.elexon_generation ORDER BY arrival DESC, "
        "captured_at DESC LIMIT 1"
    ) == [({"WIND": 7000, "CCGT": 5000, "COAL": 0}, 24_000)]


def test_a_revised_fuel_that_was_refused_replaces_the_one_that_was_kept(
    open_connection: Connection, keep: Callable[..., None], rows: Rows
) -> None:
    start = elexon.at(HALF)
    for at, fuels, refused in (
        (SEEN - HALF_HOUR, {"WIND": 7000, "CCGT": 4000}, None),
        (SEEN + timedelta(seconds=20), {"WIND": 7100}, frozenset({"CCGT"})),
    ):
        with write_transaction(open_connection, "raw.elexon_generation"):
            half_hours = together(open_connection, [GenerationRow(start, at, fuels, refused)], [])
            load_elexon_generation(open_connection, [Capture(half_hours, at)])
    keep("raw.elexon_generation", FUELHH, elexon.fuel(HALF, "CCGT", 5000))
    assert rows(NEWEST) == [({"WIND": 7100, "CCGT": 4000}, None)]
    assert quarantined.replay(open_connection).accepted == 1
    assert rows(NEWEST) == [({"WIND": 7100, "CCGT": 5000}, None)]


def test_an_older_capture_does_not_become_the_newest(
    open_connection: Connection, keep: Callable[..., None], rows: Rows
) -> None:
    start = elexon.at(HALF)
    for at, wind in ((SEEN, 7000), (SEEN + HALF_HOUR, 7100)):
        with write_transaction(open_connection, "raw.elexon_generation"):
            half = Half(start, {"WIND": wind, "OIL": 0}, 24_000, ISSUE)
            load_elexon_generation(open_connection, [Capture([half], at)])
    keep("raw.elexon_generation", FUELHH, elexon.fuel(HALF, "OIL", 5))
    assert quarantined.replay(open_connection).accepted == 1
    assert rows(
        "SELECT generation_mw FROM raw.elexon_generation ORDER BY arrival, captured_at"
    ) == [({"WIND": 7000, "OIL": 0},), ({"WIND": 7000, "OIL": 5},), ({"WIND": 7100, "OIL": 0},)]


NEWEST = (
    "SELECT generation_mw, demand_mw FROM raw.elexon_generation ORDER BY arrival DESC, "
    "captured_at DESC LIMIT 1"
)


@pytest.mark.parametrize(
    ("later", "demand"),
    [
        pytest.param({"WIND": 7000}, 24_000, id="demand came later"),
        pytest.param({"WIND": 7100}, None, id="another fuel was revised"),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_a_record_refused_in_several_cycles_is_in_the_newest_state(
    open_connection: Connection,
    keep: Callable[..., None],
    rows: Rows,
    later: dict[str, int],
    demand: int | None,
    times: int,
) -> None:
    start, last = elexon.at(HALF), SEEN + times * HALF_HOUR
    for at, fuels, mw in ((SEEN, {"WIND": 7000}, None), (last, later, demand)):
        with write_transaction(open_connection, "raw.elexon_generation"):
            half = Half(start, fuels, mw, ISSUE)
            load_elexon_generation(open_connection, [Capture([half], at)])
    for n in range(times + 1):
        at = SEEN + n * HALF_HOUR
        keep("raw.elexon_generation", FUELHH, elexon.fuel(HALF, "CCGT", 5000), at=at)
    assert rows("SELECT times_seen FROM ops.quarantine") == [(times + 1,)]
    assert quarantined.replay(open_connection).accepted == 1
    assert rows(NEWEST) == [({**later, "CCGT": 5000}, demand)]
    assert rows("SELECT count(*) FROM raw.elexon_generation") == [(4,)]


def test_a_value_that_elexon_has_published_since_stays_the_newest(
    open_connection: Connection, keep: Callable[..., None], rows: Rows
) -> None:
    start = elexon.at(HALF)
    captures: list[dict[str, int]] = [{}, {"WIND": 7000}, {"WIND": 7000, "CCGT": 5200}]
    for n, fuels in enumerate(captures):
        at = SEEN + n * HALF_HOUR
        with write_transaction(open_connection, "raw.elexon_generation"):
            half = Half(start, fuels, 24_000, ISSUE)
            load_elexon_generation(open_connection, [Capture([half], at)])
        if "CCGT" not in fuels:
            keep("raw.elexon_generation", FUELHH, elexon.fuel(HALF, "CCGT", 5000), at=at)
    assert quarantined.replay(open_connection).accepted == 1
    assert rows(NEWEST) == [({"WIND": 7000, "CCGT": 5200}, 24_000)]


def test_a_publication_that_changed_while_a_record_was_refused_has_it_in_its_newest_state(
    open_connection: Connection, keep: Callable[..., None], rows: Rows
) -> None:
    record = elexon.wind(elexon.seconds(ISSUE), "2026-05-05T07:00:00Z", 7000)
    for at, mw in ((SEEN, 6000), (SEEN + HALF_HOUR, 6100)):
        hold(open_connection, {"2026-05-05T06:00Z": mw, "2026-05-05T08:00Z": 8000}, at=at)
        keep("raw.outlook", WINDFOR, record, at=at)
    assert quarantined.replay(open_connection).accepted == 1
    assert [row[4] for row in rows(VALUES)] == [
        [6000, 8000],
        [6000, 7000, 8000],
        [6100, 8000],
        [6100, 7000, 8000],
    ]


def test_equal_records_of_successive_embedded_forecasts_complete_each_of_them(
    open_connection: Connection, keep: Callable[..., None], rows: Rows
) -> None:
    """The record is the last one of the newest forecast, and a hole in those before it."""
    record = bodies.embedded(elexon.at("2026-05-05T08:00Z"))
    for n in range(3):
        late = n * 2 * HALF_HOUR
        for series in ("embedded_wind_mw", "embedded_solar_mw"):
            ends = {f"2026-05-05T0{6 + n // 2}:30Z": 5.0}
            if n < 2:
                ends["2026-05-05T09:00Z"] = 9.0
            issue, at = ISSUE + late, SEEN + late
            hold(open_connection, ends, EMBEDDED, series, 30, issue=issue, at=at)
        keep("raw.outlook", EMBEDDED, record, at=SEEN + late)
    # a later forecast without it
    hold(
        open_connection,
        {"2026-05-05T07:30Z": 5, "2026-05-05T09:00Z": 9},
        *(EMBEDDED, "embedded_wind_mw", 30),
        issue=ISSUE + 6 * HALF_HOUR,
        at=SEEN + 6 * HALF_HOUR,
    )
    assert rows("SELECT count(*), max(times_seen) FROM ops.quarantine") == [(1, 3)]
    assert quarantined.replay(open_connection).accepted == 1
    has_it = (
        "SELECT count(DISTINCT captured_at) FILTER (WHERE period_start = '2026-05-05T08:00Z'), "
        "count(DISTINCT captured_at) FROM raw.outlook WHERE series = 'embedded_wind_mw' "
        "GROUP BY published_at ORDER BY published_at"
    )
    assert rows(has_it) == [(1, 2), (1, 2), (1, 2), (0, 1)]


@pytest.mark.parametrize("kind", ["live", "replay"])
def test_a_publication_of_which_nothing_is_held_is_simulated_unless_the_data_is_live(
    open_connection: Connection, keep: Callable[..., None], rows: Rows, kind: str
) -> None:
    [before] = rows("SELECT kind, shift_weeks FROM ops.warehouse")
    change = "UPDATE ops.warehouse SET kind = %s, shift_weeks = %s"
    rows(change, kind, None if kind == "live" else 0)
    try:
        record = elexon.demand(elexon.seconds(ISSUE), "2026-05-05T06:00:00Z")
        keep("raw.outlook", NDF, {"data": [record]}, reason="body: an old fault")
        assert quarantined.replay(open_connection).accepted == 1
    finally:
        rows(change, *before)
    assert rows("SELECT simulated FROM raw.outlook") == [(kind != "live",)]


def test_a_record_of_the_embedded_forecast_needs_the_rest_of_its_publication(
    open_connection: Connection, keep: Callable[..., None], rows: Rows
) -> None:
    keep("raw.outlook", EMBEDDED, bodies.embedded(elexon.at("2026-05-05T06:00Z")))
    tried = quarantined.replay(open_connection)
    [why] = tried.left.values()
    assert why == "nothing else of its publication is held, so its time is not known"
    for series in ("embedded_wind_mw", "embedded_solar_mw"):
        hold(open_connection, {"2026-05-05T06:30Z": 5}, EMBEDDED, series, 30)
    assert quarantined.replay(open_connection).accepted == 1
    assert [len(row[4]) for row in rows(VALUES)] == [1, 2, 1, 2]
    assert {row[2] for row in rows(VALUES)} == {ISSUE}


def test_tables_of_the_portal_are_loaded_whole(
    open_connection: Connection, keep: Callable[..., None], rows: Rows
) -> None:
    day = [bodies.outturn(start) for start in bodies.starts("2026-05-04T23:00", 3)]
    keep(
        "raw.embedded_generation",
        datasets.OUTTURN_SOURCE,
        {"columns": list(day[0]), "records": day},
        reason="body: an old fault",
    )
    tried = quarantined.replay(open_connection)
    assert (tried.accepted, dict(tried.left)) == (1, {})
    assert rows("SELECT count(*) FROM raw.embedded_generation") == [(3,)]


LEFT: Sequence[Any] = [
    pytest.param(WINDFOR, OLD_FAULT, '{"data": [{"publish', "is not JSON, or was cut", id="cut"),
    pytest.param(WINDFOR, OLD_FAULT, "[]", "record: it is not a JSON object", id="list"),
    pytest.param(
        WINDFOR,
        "body: all of its 1 records are outside",
        [[elexon.wind(elexon.seconds(ISSUE), "2026-05-05T06:00:00Z")]],
        "no answer to what was asked",
        id="not-asked",
    ),
    pytest.param(
        WINDFOR,
        OLD_FAULT,
        elexon.wind(elexon.seconds(ISSUE), "2026-05-05T06:00:00Z", "text"),
        "'text' is not a number",
        id="still-bad",
    ),
    pytest.param(
        WINDFOR,
        TWICE,
        [elexon.wind(elexon.seconds(ISSUE), "2026-05-05T06:00:00Z", mw) for mw in (1, 2)],
        TWICE,
        id="twice",
    ),
    pytest.param(
        NDF,
        OLD_FAULT,
        elexon.demand(elexon.seconds(ISSUE), HALF, boundary="B1"),
        "no value",
        id="zone",
    ),
    pytest.param(EMBEDDED, "body: html", "<html>", "is not JSON", id="html"),
    pytest.param(EMBEDDED, "body: odd", {"help": "x"}, "not a table", id="no-table"),
    pytest.param(EMBEDDED, OLD_FAULT, {"DATE_GMT": 1}, "nothing else of its", id="half-a-row"),
    pytest.param(
        datasets.DAY_AHEAD_WIND.source, OLD_FAULT, {"a": 1}, "Datetime_GMT is missing", id="columns"
    ),
]


@pytest.mark.parametrize(("dataset", "reason", "payload", "why"), LEFT)
def test_what_still_cannot_be_used_stays_with_the_reason(
    open_connection: Connection,
    keep: Callable[..., None],
    rows: Rows,
    dataset: str,
    reason: str,
    payload: Any,
    why: str,
) -> None:
    keep("raw.outlook", dataset, payload, reason=reason)
    tried = quarantined.replay(open_connection)
    assert tried.accepted == 0
    [said] = tried.left.values()
    assert why in said
    assert rows(STATES) == [(1, 1)]
    assert rows(VALUES) == []


def test_entries_of_telemetry_are_left_to_its_own_replay(
    open_connection: Connection, keep: Callable[..., None]
) -> None:
    quarantine.keep(
        open_connection,
        "raw.intensity",
        "/intensity",
        [Rejected("an old fault", "{}")],
        captured_at=SEEN,
        run_id="run 1",
    )
    keep("raw.outlook", WINDFOR, "{}")
    assert len(quarantined.replay(open_connection).left) == 1
    assert quarantine.replay(open_connection, quarantined.ASSETS).still_rejected == 1
